"""Opinions on what caused an event: one per agent, of the agents that the protocol lists."""

from collections import Counter
from collections.abc import Sequence

from shared.contracts.safety import AgentCausality
from shared.kernel.errors import Unacceptable


class UnknownAgent(Unacceptable):
    """The protocol does not list this agent; the message names those it lists."""


class AgentNamedTwice(Unacceptable):
    """One opinion per agent."""


def opinions(given: Sequence[AgentCausality], agents: Sequence[str]) -> tuple[AgentCausality, ...]:
    """The opinions in the agents' order.

    Raises:
        UnknownAgent: one is about something the protocol does not list.
        AgentNamedTwice: two are about the same agent.
    """
    if any(opinion.agent not in agents for opinion in given):
        raise UnknownAgent(f"causality is asked for {', '.join(agents)}")
    if any(count > 1 for count in Counter(opinion.agent for opinion in given).values()):
        raise AgentNamedTwice("each agent has one opinion; name it once")
    return tuple(sorted(given, key=lambda opinion: opinion.agent))
