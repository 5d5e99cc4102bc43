"""Groups folded to single nodes."""

from __future__ import annotations

import heapq
from collections.abc import Collection
from dataclasses import replace
from typing import TypeVar

from gradus.graph.model import Computation, Node

C = TypeVar("C", bound=Computation)


def contract(graph: C, chosen: Collection[int]) -> C:
    """Replace each chosen group by one node; a group inside a chosen one goes with it."""
    owner: dict[int, int] = {}  # group -> outermost chosen group around it
    for position in range(len(graph.groups)):
        around = [group for group in graph.enclosing(position) if group in chosen]
        if around:
            owner[position] = around[-1]
    keys = [("group", owner[node.group]) if node.group in owner else ("node", i) for i, node in enumerate(graph.nodes)]
    sources: dict[tuple[str, int], list[tuple[str, int]]] = {}
    rank: dict[tuple[str, int], int] = {}
    members: dict[tuple[str, int], list[int]] = {}
    for i, (key, node) in enumerate(zip(keys, graph.nodes, strict=True)):
        rank[key] = i
        members.setdefault(key, []).append(i)
        into = sources.setdefault(key, [])
        for operand in node.operands:
            source = keys[operand]
            whole = source[0] == "group" or key[0] == "group"  # a folded group is joined to its neighbour by one edge
            if source != key and not (whole and source in into):
                into.append(source)

    kept = [i for i in range(len(graph.groups)) if i not in owner]
    renumber = {-1: -1} | {old: new for new, old in enumerate(kept)}
    place: dict[tuple[str, int], int] = {}
    nodes: list[Node] = []
    for key in _sorted(sources, rank):
        operands = tuple(place[source] for source in sources[key])
        place[key] = len(nodes)
        if key[0] == "node":
            node = graph.nodes[key[1]]
            local = node.local if len(operands) == len(node.operands) else ()
            nodes.append(replace(node, operands=operands, local=local, group=renumber[node.group]))
        else:
            group = graph.groups[key[1]]
            inside = [graph.nodes[i] for i in members[key]]
            count = sum(node.members for node in inside)
            nodes.append(
                Node(
                    op=group.kind, label=group.name, operands=operands, group=renumber[group.parent], kind="group",
                    members=count, note=f"{count} node{'s' * (count != 1)}", shape=inside[-1].shape,
                )
            )  # fmt: skip
    groups = [replace(graph.groups[i], parent=renumber[graph.groups[i].parent]) for i in kept]
    outputs = tuple(dict.fromkeys(place[keys[i]] for i in graph.outputs))
    return replace(graph, nodes=nodes, outputs=outputs, groups=groups)


def _sorted(
    sources: dict[tuple[str, int], list[tuple[str, int]]], rank: dict[tuple[str, int], int]
) -> list[tuple[str, int]]:
    """A topological order that stays close to the old one."""
    users: dict[tuple[str, int], list[tuple[str, int]]] = {key: [] for key in sources}
    missing = {key: len(set(into)) for key, into in sources.items()}
    for key, into in sources.items():
        for source in set(into):
            users[source].append(key)
    ready = [(rank[key], key) for key, count in missing.items() if count == 0]
    heapq.heapify(ready)
    order = []
    while ready:
        _, key = heapq.heappop(ready)
        order.append(key)
        for user in users[key]:
            missing[user] -= 1
            if missing[user] == 0:
                heapq.heappush(ready, (rank[user], user))
    if len(order) < len(sources):
        raise ValueError("a group cannot be folded: a path leaves it and comes back, so that it would depend on itself")
    return order
