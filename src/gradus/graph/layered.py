"""Vertices in layers with lines between neighbouring layers: in which order, and at which heights.

Crossings are reduced by barycentre sweeps. Heights are found by least squares under the separations that the boxes
need, solved exactly a layer at a time (isotonic regression by pooling adjacent violators).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from math import inf

# A neighbour, how far below its centre ours would lie for a level line, and how much that matters.
Pull = tuple[int, float, float]

PORT = 1e-5  # lines into one box are told apart, when crossings are counted, by their ports


class Layered:
    """Vertices, each with a layer, a width and a height; those of no height are bends of a line.

    Attributes:
        layer, w, h: of each vertex.
        layers: the vertices of each layer, from the top, once `order` has run.
        left, right: of each vertex, its lines to the layer before and the layer after.
        y: the centre of each vertex, downwards, once `settle` has run.
    """

    def __init__(self) -> None:
        self.layer: list[int] = []
        self.w: list[float] = []
        self.h: list[float] = []
        self.layers: list[list[int]] = []
        self.left: list[list[Pull]] = []
        self.right: list[list[Pull]] = []
        self.y: list[float] = []
        self.offsets: list[list[float]] = []

    def add(self, layer: int, width: float = 0.0, height: float = 0.0) -> int:
        """A new vertex."""
        self.layer.append(layer)
        self.w.append(width)
        self.h.append(height)
        self.left.append([])
        self.right.append([])
        return len(self.layer) - 1

    def link(self, a: int, b: int, leaving: float, arriving: float) -> None:
        """A line from a to b in the next layer, so far below their centres; bends pull harder, for straight lines."""
        weight = (1.0, 2.0, 8.0)[(not self.h[a]) + (not self.h[b])]
        self.right[a].append((b, arriving - leaving, weight))
        self.left[b].append((a, leaving - arriving, weight))

    def order(self, rank: Sequence[float], sweeps: int) -> None:
        """Begin with the order of `rank`; sweep right and left, sorting by where neighbours are; keep the best."""
        position = [0.0] * len(self.layer)

        def number(layer: list[int]) -> None:
            for place, vertex in enumerate(layer):
                position[vertex] = place

        self.layers = [[] for _ in range(max(self.layer, default=0) + 1)]
        for vertex, place in enumerate(self.layer):
            self.layers[place].append(vertex)
        for layer in self.layers:
            layer.sort(key=rank.__getitem__)
            number(layer)
        best, fewest = [[*layer] for layer in self.layers], self._crossings(position)
        idle = 0
        for sweep in range(sweeps):
            if fewest == 0 or idle == 2:
                break
            rightward = sweep % 2 == 0
            near = self.left if rightward else self.right
            for layer in self.layers[1:] if rightward else self.layers[-2::-1]:
                if len(layer) > 1:
                    centre: dict[int, float] = {}
                    for vertex in layer:
                        lines = near[vertex]
                        if len(lines) == 1:
                            centre[vertex] = position[lines[0][0]] + lines[0][1] * PORT
                        elif lines:
                            centre[vertex] = sum([position[line[0]] + line[1] * PORT for line in lines]) / len(lines)
                        else:
                            centre[vertex] = position[vertex]
                    layer.sort(key=centre.__getitem__)
                    number(layer)
            crossings = self._crossings(position)
            idle += 1
            if crossings < fewest:
                best, fewest, idle = [[*layer] for layer in self.layers], crossings, 0
        self.layers = best

    def _crossings(self, position: list[float]) -> int:
        """How many pairs of lines cross, counted between neighbouring layers as inversions."""
        count = 0
        for layer in self.layers[:-1]:
            ends: list[float] = []
            for vertex in layer:
                lines = self.right[vertex]
                if len(lines) == 1:
                    end = position[lines[0][0]] + lines[0][1] * PORT
                    place = bisect_right(ends, end)
                    count += len(ends) - place
                    ends.insert(place, end)
                elif lines:
                    fresh = [position[line[0]] + line[1] * PORT for line in lines]
                    count += len(ends) * len(fresh) - sum([bisect_right(ends, end) for end in fresh])
                    ends += fresh
                    ends.sort()
        return count

    def settle(self, rounds: int, rows: float, wires: float) -> None:
        """Heights: each layer as near as can be to its neighbours; at least `rows` between boxes, `wires` else."""
        self.y = [0.0] * len(self.layer)
        self.offsets = [self._offsets(layer, rows, wires) for layer in self.layers]  # of each vertex from the first
        for layer, offset in zip(self.layers, self.offsets, strict=True):
            for vertex, down in zip(layer, offset, strict=True):
                self.y[vertex] = down - offset[-1] / 2
        places = range(len(self.layers))
        for _ in range(rounds):
            for place in places[1:]:
                self._fit(place, self.left)
            for place in reversed(places[:-1]):
                self._fit(place, self.right)
        for place in reversed(places):
            self._fit(place, self.left, self.right)
        for place in places[1:]:
            self._fit(place, self.left)

    def _offsets(self, layer: list[int], rows: float, wires: float) -> list[float]:
        total, offset = 0.0, []
        for i, vertex in enumerate(layer):
            if i:
                above = layer[i - 1]
                total += (self.h[above] + self.h[vertex]) / 2 + (rows if self.h[above] and self.h[vertex] else wires)
            offset.append(total)
        return offset

    def _fit(self, place: int, near: list[list[Pull]], also: list[list[Pull]] | None = None) -> None:
        """Give a layer the heights nearest to where its lines want it."""
        layer, offset, y = self.layers[place], self.offsets[place], self.y
        blocks: list[tuple[float, float, int]] = []  # (mean, weight, how many)
        for vertex, down in zip(layer, offset, strict=True):
            lines = near[vertex] if also is None else near[vertex] + also[vertex]
            if len(lines) == 1:
                other, delta, weight = lines[0]
                mean = y[other] + delta - down
            elif lines:
                mean = weight = 0.0
                for other, delta, pull in lines:
                    mean += pull * (y[other] + delta)
                    weight += pull
                mean = mean / weight - down
            else:
                mean, weight = y[vertex] - down, 1e-3
            count = 1
            while blocks and blocks[-1][0] >= mean:
                above, heavy, many = blocks.pop()
                mean = (mean * weight + above * heavy) / (weight + heavy)
                weight += heavy
                count += many
            blocks.append((mean, weight, count))
        i = 0
        for mean, _, count in blocks:
            for _ in range(count):
                y[layer[i]] = mean + offset[i]
                i += 1

    def straighten(self, wires: Iterable[list[int]]) -> None:
        """Put each wire, the bends of one line, at one height throughout, where the free space around it allows."""
        y, offsets = self.y, self.offsets
        place = {vertex: i for layer in self.layers for i, vertex in enumerate(layer)}

        def free(vertex: int) -> tuple[float, float]:
            layer, offset, i = self.layers[self.layer[vertex]], offsets[self.layer[vertex]], place[vertex]
            low = y[layer[i - 1]] + offset[i] - offset[i - 1] if i else -inf
            high = y[layer[i + 1]] - offset[i + 1] + offset[i] if i + 1 < len(layer) else inf
            return low, high

        for wire in wires:
            if len(wire) > 1:
                room = [free(vertex) for vertex in wire]
                low, high = max(low for low, _ in room), min(high for _, high in room)
                if low <= high:
                    level = min(max(sorted(y[vertex] for vertex in wire)[len(wire) // 2], low), high)
                    for vertex in wire:
                        y[vertex] = level
