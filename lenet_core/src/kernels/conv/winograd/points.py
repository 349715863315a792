"""Makes the numbers in winograd/points.rs: the matrices of F(4, 5) for the points 0, 1, -1, 2, -2, 1/2, -1/2 and infinity.

    python points.py

Four outputs of a row of five taps are y = A^T [(G g) * (B^T d)] for eight inputs d and the taps g, where * multiplies
element by element (Toom and Cook; Winograd, 1980; in this notation Lavin and Gray, 2015). A and G evaluate polynomials
at the points; B^T interpolates, turned around. A row of B^T is scaled to integers, and its row of G by the inverse.
"""

from fractions import Fraction
from math import gcd, lcm

OUTPUTS, TAPS = 4, 5
POINTS = [Fraction(p) for p in ("0", "1", "-1", "2", "-2", "1/2", "-1/2")]
COUNT = OUTPUTS + TAPS - 1


def evaluation(terms):
    """A row for each point: its powers. At infinity only the highest counts."""
    return [[point**power for power in range(terms)] for point in POINTS] + [[Fraction(0)] * (terms - 1) + [Fraction(1)]]


def inverse(matrix):
    """By Gauss and Jordan, in fractions."""
    size = len(matrix)
    rows = [list(row) + [Fraction(i == j) for j in range(size)] for i, row in enumerate(matrix)]
    for i in range(size):
        pivot = next(j for j in range(i, size) if rows[j][i])
        rows[i], rows[pivot] = rows[pivot], rows[i]
        rows[i] = [value / rows[i][i] for value in rows[i]]
        for j in range(size):
            if j != i:
                rows[j] = [a - rows[j][i] * b for a, b in zip(rows[j], rows[i])]
    return [row[size:] for row in rows]


def matrices():
    a, g = evaluation(OUTPUTS), evaluation(TAPS)
    b = [list(column) for column in zip(*inverse(evaluation(COUNT)))]
    for i in range(COUNT):
        scale = Fraction(lcm(*(x.denominator for x in b[i])))
        scale /= gcd(*(int(x * scale) for x in b[i]))
        b[i] = [x * scale for x in b[i]]
        g[i] = [x / scale for x in g[i]]
    return a, g, b


def check(a, g, b):
    """The identity for every pair of an input and a tap."""
    for i in range(COUNT):
        for j in range(TAPS):
            outputs = [sum(a[p][o] * g[p][j] * b[p][i] for p in range(COUNT)) for o in range(OUTPUTS)]
            assert outputs == [Fraction(i == o + j) for o in range(OUTPUTS)]


if __name__ == "__main__":
    for name, matrix in zip(("A", "G", "B^T"), found := matrices()):
        print(name, *("  " + " ".join(f"{str(value):>6}" for value in row) for row in matrix), sep="\n")
    check(*found)
