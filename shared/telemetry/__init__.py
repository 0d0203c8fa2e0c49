"""What a process tells its operators: JSON logs, traces and metrics, never health data."""
