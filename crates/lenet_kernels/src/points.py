"""Makes the constants of points.rs: the matrices of F(9 - K, K) for the points 0, 1, -1, 2, -2, 1/2, -1/2 and infinity.

    python points.py

N = 9 - K outputs of a row of K taps are y = A^T [(G g) * (B^T d)] for eight inputs d and the taps g, where * multiplies
element by element (Toom and Cook; Winograd, 1980; in this notation Lavin and Gray, 2015). A and G evaluate polynomials
with N and K coefficients at the points; B^T interpolates, turned around, and is the same for all K.
"""

from fractions import Fraction

POINTS = [Fraction(p) for p in ("0", "1", "-1", "2", "-2", "1/2", "-1/2")]
COUNT = len(POINTS) + 1


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


def check(a, g, b):
    """The identity for every pair of an input and a tap."""
    for i in range(COUNT):
        for j in range(len(g[0])):
            outputs = [sum(a[p][o] * g[p][j] * b[p][i] for p in range(COUNT)) for o in range(len(a[0]))]
            assert outputs == [Fraction(i == o + j) for o in range(len(a[0]))]


if __name__ == "__main__":
    b = [list(column) for column in zip(*inverse(evaluation(COUNT)))]
    print("B^T", *("  " + " ".join(f"{str(value):>7}" for value in row) for row in b), sep="\n")
    for taps in range(1, COUNT):
        check(evaluation(COUNT + 1 - taps), evaluation(taps), b)
