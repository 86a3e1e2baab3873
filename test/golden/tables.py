"""The tables of test/data/tables, from scikit-learn's bundled data sets, and what its discriminant analyses make of them.

Writes iris.csv, wine.csv and digits.csv, and values/tables.json: of each the rows of a fixed stratified split that are tested,
and how many of them QuadraticDiscriminantAnalysis and LinearDiscriminantAnalysis, fitted to the others, get right.
"""

import csv
import pathlib
import warnings

import numpy
import sklearn
from sklearn.datasets import load_digits, load_iris, load_wine
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis, QuadraticDiscriminantAnalysis
from sklearn.model_selection import StratifiedShuffleSplit

from golden import write

TABLES = pathlib.Path(__file__).parent.parent / "data" / "tables"


def number(value):
    return str(int(value)) if value == int(value) else repr(float(value))


def correct(model, x, y, is_test):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        right = int((model.fit(x[~is_test], y[~is_test]).predict(x[is_test]) == y[is_test]).sum())
    return right, sorted({str(warning.message) for warning in caught})


def cases():
    for name, label, loaded in (
        ("iris", "species", load_iris()),
        ("wine", "cultivar", load_wine()),
        ("digits", "digit", load_digits()),
    ):
        x, y = loaded.data, loaded.target
        classes = [str(target) for target in loaded.target_names]
        columns = [str(feature).replace(" (cm)", "").replace(" ", "_") for feature in loaded.feature_names]
        with open(TABLES / f"{name}.csv", "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow([*columns, label])
            writer.writerows([*map(number, row), classes[k]] for row, k in zip(x, y))
        [(_, test)] = StratifiedShuffleSplit(1, test_size=1 / 3, random_state=0).split(x, y)
        is_test = numpy.isin(numpy.arange(len(y)), test)
        qda, qda_warnings = correct(QuadraticDiscriminantAnalysis(), x, y, is_test)
        lda, lda_warnings = correct(LinearDiscriminantAnalysis(), x, y, is_test)
        yield {
            "name": name,
            "label": label,
            "rows": len(y),
            "test": sorted(test.tolist()),
            "correct": {"qda": qda, "lda": lda},
            "warnings": {"qda": qda_warnings, "lda": lda_warnings},
        }


if __name__ == "__main__":
    write("tables", {"scikit-learn": sklearn.__version__, "cases": list(cases())})
