"""The tables of a page of docs/formats.

    page = Page("plan")
    page.first_column("key")            # code words in the first column of tables headed `key`
    page.row("type", "run.halted")      # all code words of that row
"""

import os
import re

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
CODE = re.compile(r"`([^`]+)`")


class Page:
    def __init__(self, name: str):
        with open(os.path.join(ROOT, "docs", "formats", name + ".md"), encoding="utf-8") as file:
            self.text = file.read()
        self.tables = list(self._read_tables())

    def _read_tables(self) -> "list[list[list[str]]]":
        """Each table is a list of rows, each row a list of cells; the first row is the head."""
        prose = re.sub(r"^```.*?^```", "", self.text, flags=re.M | re.S)
        tables: list[list[list[str]]] = []
        is_open = False
        for line in prose.splitlines():
            if not line.startswith("|"):
                is_open = False
                continue
            cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
            if not is_open:
                tables.append([])
                is_open = True
            if not set("".join(cells)) <= {"-", ":"} or not "".join(cells):
                tables[-1].append(cells)
        return tables

    def words(self) -> set[str]:
        """Every code word of the page."""
        return set(CODE.findall(self.text))

    def rows(self, head: str) -> list[list[str]]:
        """The rows of all tables whose first head is that text."""
        found = [row for table in self.tables if table[0][0] == head for row in table[1:]]
        if not found:
            raise AssertionError(f"no table of the page is headed `{head}`")
        return found

    def first_column(self, head: str) -> set[str]:
        return {word for row in self.rows(head) for word in CODE.findall(row[0])}

    def row(self, head: str, name: str) -> set[str]:
        """The code words behind the first cell of the row of that name."""
        for row in self.rows(head):
            if name in CODE.findall(row[0]):
                return {word for cell in row[1:] for word in CODE.findall(cell)}
        raise AssertionError(f"no row of `{head}` is named {name}")
