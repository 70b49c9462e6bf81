"""`store export` and `import`: the bytes that backy2 writes, both ways; cut off at every byte, and refused."""

import os
import unittest

import postgres
import stores
from stores import NO, UNREADABLE

VERSIONS = stores.WHOLE + ("d1",)
FORMATS = {"2.9.17": "2.2", "2.10.5": "2.10", "2.11.13": "2.10", "2.13.8": "2.12"}
ROW = ("SELECT uid, id, nullif(checksum, '') checksum, size, valid FROM blocks WHERE version_uid = '{}' "
       "ORDER BY id")


class Transfer(stores.Case):
    def path(self, name: str = "out.csv") -> str:
        path = os.path.join(self.scratch, name)
        if os.path.exists(path):
            os.remove(path)
        return path

    def exported(self, copy: stores.StoreCopy, version: str) -> str:
        """What backy2 itself wrote of it."""
        return os.path.join(copy.folder, "exports", version + ".csv")

    def forget(self, copy: stores.StoreCopy, version: str) -> None:
        for table, column in (("blocks", "version_uid"), ("tags", "version_uid"),
                              ("versions", "uid")):
            copy.change(f"DELETE FROM {table} WHERE {column} = '{copy.uid(version)}'")

    def refused(self, copy: stores.StoreCopy, path: str, code: int = NO) -> str:
        return self.json("import", copy.config, path, code=code)["errors"][0]["code"]

    def test_an_export_is_what_backy2_writes_to_the_byte(self) -> None:
        for release, file_format in FORMATS.items():
            copy = stores.StoreCopy(release, os.path.join(self.scratch, "x"))
            for version in VERSIONS:
                path = self.path()
                told = self.json("export", copy.config, copy.uid(version), "-o", path)
                stores.assert_documented(self, told)
                self.assertEqual((told["format"], told["rows"]), (file_format, told["blocks"]))
                with open(path, "rb") as ours, open(self.exported(copy, version), "rb") as theirs:
                    self.assertEqual(ours.read(), theirs.read(), (release, version))
        told = self.json("export", copy.config, copy.uid("b1"), "-o", self.path())
        self.assertIn("the tag keep-me", told["left_out"])
        told = self.json("export", copy.config, copy.uid("c1"), "-o", self.path())
        self.assertIn("the time of day of its expiry, 13:45:07", told["left_out"])

    def test_a_pipe_is_no_export(self) -> None:
        copy = stores.StoreCopy("2.13.8", os.path.join(self.scratch, "store"))
        pipe = os.path.join(self.scratch, "pipe")
        os.mkfifo(pipe)
        for path in (pipe, "/dev/zero"):
            self.assertEqual(self.json("import", copy.config, path, code=UNREADABLE)["errors"][0]["code"],
                             "os.not_plain")

    def test_an_import_brings_the_version_back(self) -> None:
        for release in FORMATS:
            copy = stores.StoreCopy(release, os.path.join(self.scratch, "i"))
            for version in stores.WHOLE:
                rows = copy.query(ROW.format(copy.uid(version)))
                uid = copy.uid(version)
                self.assertEqual(self.refused(copy, self.exported(copy, version)),
                                 "blocks.version_exists")
                self.forget(copy, version)
                told = self.json("import", copy.config, self.exported(copy, version))
                self.assertEqual(told["rows"], len(rows))
                self.assertEqual(copy.query(ROW.format(uid)), rows)
                self.assertEqual(stores.restored_sha256(self, copy.config, uid),
                                 copy.image_sha256(version))
                again = self.path()
                self.store("export", copy.config, uid, "-o", again)
                with open(again, "rb") as ours, open(self.exported(copy, version), "rb") as theirs:
                    self.assertEqual(ours.read(), theirs.read())

    def test_older_exports_into_a_newer_store(self) -> None:
        for release in ("2.9.17", "2.10.5", "2.11.13"):
            copy = stores.StoreCopy(release, os.path.join(self.scratch, "n"))
            self.store("upgrade", copy.config, "--copy", self.path("copy" + release))
            self.forget(copy, "a1")
            self.store("import", copy.config, self.exported(copy, "a1"))
            self.assertEqual(stores.restored_sha256(self, copy.config, copy.uid("a1")),
                             copy.image_sha256("a1"))

    def test_encrypted_rows_need_their_columns(self) -> None:
        newer = stores.StoreCopy("2.13.8", os.path.join(self.scratch, "new"))
        older = stores.StoreCopy("2.11.13", os.path.join(self.scratch, "old"))
        with open(self.exported(newer, "b1"), encoding="utf-8", newline="") as file:
            self.assertIn(",1,", file.read())
        for folder, _, names in os.walk(newer.data):
            for name in names:
                os.makedirs(os.path.dirname(older.blob(name[:-5])), exist_ok=True)
                os.replace(os.path.join(folder, name), older.blob(name[:-5]))
        self.assertEqual(self.refused(older, self.exported(newer, "b1")), "blocks.import")
        self.assertEqual(older.query("SELECT count(*) FROM blocks")[0][0], 53)

    def test_cut_off_anywhere_it_is_refused(self) -> None:
        copy = stores.StoreCopy("2.13.8", self.scratch)
        with open(self.exported(copy, "c1"), "rb") as file:
            whole = file.read()
        self.forget(copy, "c1")
        before = copy.query("SELECT count(*) FROM blocks")
        path = self.path("cut.csv")
        line_ends = [i + 1 for i, c in enumerate(whole) if c == 10][:-1]
        for size in sorted({*line_ends, *range(0, len(whole) - 1, 37), len(whole) - 1}):
            with open(path, "wb") as file:
                file.write(whole[:size])
            self.assertIn(self.refused(copy, path), ("blocks.truncated", "blocks.import"), size)
        self.assertEqual(copy.query("SELECT count(*) FROM blocks"), before)
        with open(path, "wb") as file:
            file.write(whole)
        self.json("import", copy.config, path)

    def test_what_is_no_export_of_this_store(self) -> None:
        copy = stores.StoreCopy("2.13.8", self.scratch)
        with open(self.exported(copy, "a1"), encoding="utf-8", newline="") as file:
            lines = file.read().splitlines(keepends=True)
        self.forget(copy, "a1")
        path = self.path("bad.csv")
        fields = lines[2].split(",")
        for changed, code in (
                (lines + [lines[2]], "blocks.import"),  # a position twice
                (lines[:2] + [lines[2].replace(fields[1], "another")] + lines[3:], "blocks.import"),
                (lines[:2] + [lines[2].replace(",16384,", ",1,")] + lines[3:], "blocks.import"),
                (lines[:2] + [lines[2].replace(fields[0], "0123456789" + fields[0][10:])]
                 + lines[3:], "blocks.missing"),
                (lines[:2] + [lines[2].replace(fields[0], "../../etc/passwd")] + lines[3:],
                 "blocks.uid"),
                (["backy2 Version 3.0 metadata dump\r\n"] + lines[1:], "blocks.import"),
                (["x" * 100_000], "blocks.import")):
            with open(path, "w", encoding="utf-8", newline="") as file:
                file.write("".join(changed))
            self.assertEqual(self.refused(copy, path), code)
        self.assertEqual(copy.query(f"SELECT count(*) FROM versions WHERE uid = '{copy.uid('a1')}'"),
                         [(0,)])
        self.refused(copy, os.path.join(self.scratch, "none"), code=UNREADABLE)

    def test_each_value_is_looked_at_before_a_row_is_written(self) -> None:
        copy = stores.StoreCopy("2.13.8", self.scratch)
        with open(self.exported(copy, "b1"), encoding="utf-8", newline="") as file:
            lines = file.read().splitlines(keepends=True)
        self.forget(copy, "b1")
        path = self.path("bad.csv")
        for line, field, column, values in (
                (1, 0, "uid", ("../../x", "17", "")),
                (1, 1, "date", ("garbage", "2026-13-41 10:32:46", "2026-02-29 10:32:46", "infinity",
                                "2026-11-21 24:00:00", "2026-11-21 10:32:46.", "2026-11-21")),
                (1, 2, "name", ("v\0b", "\udcff")),
                (1, 4, "size", ("x", "-1", "9" * 30)), (1, 6, "valid", ("7", "")),
                (1, 7, "protected", ("yes",)), (1, 8, "expire", ("2020-99-99", "nonsense")),
                (3, 2, "id", ("1.5", "2147483648")), (3, 3, "date", ("junk",)),
                (3, 4, "checksum", ("nohex", "ab" * 65, "abc")),
                (3, 5, "size", (str(2 ** 63 - 1), "-1")), (3, 6, "valid", ("yes",)),
                (3, 7, "enc_version", ("9", "abc")), (3, 8, "enc_envkey", ("zz", "", "ab")),
                (3, 9, "enc_nonce", ("zz", "ab" * 17, ""))):
            for value in values:
                fields = lines[line].rstrip("\r\n").split(",")
                fields[field] = value
                changed = lines[:line] + [",".join(fields) + "\r\n"] + lines[line + 1:]
                with open(path, "w", encoding="utf-8", errors="surrogateescape", newline="") as file:
                    file.write("".join(changed))
                error = self.json("import", copy.config, path, code=NO)["errors"][0]
                self.assertEqual(error["code"], "blocks.import", (column, value))
                self.assertIn(f"line {line + 1}: column", error["message"], (column, value))
                self.assertIn(column, error["message"])
        self.assertEqual(copy.query("SELECT count(*) FROM versions"), [(6,)])
        huge = lines[1].split(",")
        huge[4:6] = str(2 ** 31), str(2 ** 31 * 16384)
        with open(path, "w", encoding="utf-8", newline="") as file:
            file.write(lines[0] + ",".join(huge))
        self.assertEqual(self.refused(copy, path), "blocks.truncated")

    def test_a_version_that_lacks_rows_is_not_exported(self) -> None:
        copy = stores.StoreCopy("2.13.8", self.scratch)
        copy.change(f"DELETE FROM blocks WHERE version_uid = '{copy.uid('a1')}' AND id = 2")
        path = self.path()
        told = self.json("export", copy.config, copy.uid("a1"), "-o", path, code=NO)
        self.assertEqual(told["errors"][0]["code"], "blocks.incomplete")
        self.assertFalse(os.path.exists(path) or os.path.exists(path + ".partial"))

    def test_postgresql(self) -> None:
        server = self.start(postgres)
        for number, release in enumerate(FORMATS):
            copy = stores.StoreCopy(release, os.path.join(self.scratch, str(number)), "postgresql")
            server.load(f"transfer{number}", os.path.join(copy.folder, "dump.sql"))
            copy.write_config(server.engine(f"transfer{number}"))
            path = self.path()
            self.store("export", copy.config, copy.uid("a1"), "-o", path)
            with open(path, "rb") as ours, open(self.exported(copy, "a1"), "rb") as theirs:
                self.assertEqual(ours.read(), theirs.read(), release)
            for table, column in (("blocks", "version_uid"), ("tags", "version_uid"),
                                  ("versions", "uid")):
                server.psql(f"transfer{number}",
                            f"DELETE FROM {table} WHERE {column} = '{copy.uid('a1')}'")
            self.store("import", copy.config, path)
            self.assertEqual(stores.restored_sha256(self, copy.config, copy.uid("a1")),
                             copy.image_sha256("a1"))
            again = self.path("again.csv")
            self.store("export", copy.config, copy.uid("a1"), "-o", again)
            with open(again, "rb") as ours, open(path, "rb") as theirs:
                self.assertEqual(ours.read(), theirs.read(), release)


if __name__ == "__main__":
    unittest.main()
