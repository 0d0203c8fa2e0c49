"""The figures that people look at: a Vega-Lite specification each, filled with the trial's data, drawn without browser.

`NAME.vl.json` is the specification as a designer would write it: layers, scales, colours and shapes; its parameters and
datasets are filled in by the module of that name, which also says the main numbers in words. Figures as tables print
them (percentages, intervals, medians) are `services.projector.domain.figures`.
"""
