#!/usr/bin/env python3
"""`drydock chain` on real archives: wheels, sdists and folders, whole and damaged."""
import bz2
import gzip
import io
import json
import lzma
import os
import subprocess
import sys
import tarfile
import tempfile
import unittest
import zipfile

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "field", "common"))

from limits import scaled  # noqa: E402  (found by the line above)

PROGRAM = os.path.abspath(sys.argv.pop(1))


def revision(name, parents, body="    op.drop_table('x')"):
    return (f'"""adds {name}"""\nrevision = "{name}"\ndown_revision = {parents!r}\n'
            f"branch_labels = None\ndepends_on = None\n\ndef upgrade():\n    pass\n\ndef downgrade():\n{body}\n")


OLD = {"m/env.py": "", "m/versions/a.py": revision("a", None), "m/versions/b.py": revision("b", "a")}
NEW = {**OLD, "m/versions/x.py": revision("x", "a"), "m/versions/b.py": revision("b", "x")}


def wheel(files):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return out.getvalue()


def sdist(files):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for name, text in files.items():
            entry = tarfile.TarInfo("package-1.0/" + name)
            entry.size = len(text.encode())
            archive.addfile(entry, io.BytesIO(text.encode()))
    return out.getvalue()


class Packages(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def write(self, name, content):
        with open(self.path(name), "wb") as file:
            file.write(content)
        return self.path(name)

    def tree(self, name, files):
        for path, text in files.items():
            full = os.path.join(self.path(name), path)
            os.makedirs(os.path.dirname(full), exist_ok=True)
            with open(full, "w", encoding="utf-8") as file:
                file.write(text)
        return self.path(name)

    def chain(self, *words):
        done = subprocess.run([PROGRAM, "chain", *words, "--json"], capture_output=True, text=True, timeout=scaled(30))
        self.assertEqual(done.stderr, "")
        answer = json.loads(done.stdout)
        exits = {"clean": 0, "refused": 2}
        self.assertEqual(done.returncode, exits.get(answer["verdict"], 1), answer)
        return answer

    def test_a_wheel_an_sdist_and_a_folder_say_the_same(self):
        olds = [self.write("old.whl", wheel(OLD)), self.write("old.tar.gz", sdist(OLD)), self.tree("old", OLD)]
        news = [self.write("new.whl", wheel(NEW)), self.write("new.tar.gz", sdist(NEW)), self.tree("new", NEW)]
        for old in olds:
            for new in news:
                answer = self.chain(old, new)
                self.assertEqual(answer["verdict"], "skipped", (old, new))
                self.assertEqual(answer["skipped"], ["x"])
                self.assertEqual((answer["old"]["count"], answer["new"]["count"]), (2, 3))
                self.assertEqual(answer["old"]["heads"], ["b"])
                self.assertEqual(answer["docs"]["x"], "adds x")

    def test_a_cut_archive_is_refused_wherever_it_is_cut(self):
        good = self.write("good.whl", wheel(OLD))
        for content in (wheel(OLD), sdist(OLD)):
            for length in list(range(0, len(content) - 8, 7)):
                answer = self.chain(good, self.write("cut", content[:length]))
                self.assertEqual(answer["verdict"], "refused", length)
                self.assertNotEqual(answer["problems"], [])

    def test_a_tar_is_read_to_its_end_and_its_sums_are_compared(self):
        """One bit in a stored block of gzip changes a parent; the sum alone tells of it."""
        good = self.write("good.whl", wheel(OLD))
        tar = gzip.decompress(sdist({**OLD, "m/versions/c.py": revision("c", "b")}))
        cut = tar.find(b"package-1.0/m/versions/c.py")
        stored = bytearray(gzip.compress(tar, 0))
        stored[stored.find(b"down_revision = 'b'") + 17] = ord("a")
        wrong_sum = bytearray(gzip.compress(tar))
        wrong_sum[-6] ^= 255
        bad = {"one bit": bytes(stored), "sum": bytes(wrong_sum), "whole members": tar[:cut],
               "whole members, gzip": gzip.compress(tar[:cut]), "in a member": tar[:cut + 700],
               "bzip2, second stream cut": bz2.compress(tar[:cut]) + bz2.compress(tar[cut:])[:5],
               "garbage": gzip.compress(tar) + b"x"}
        for pack in (gzip.compress, bz2.compress, lzma.compress):
            whole = pack(tar)
            self.assertEqual(self.chain(good, self.write("whole", whole))["runs"], ["c"])
            half = pack(tar[:cut]) + pack(tar[cut:])
            self.assertEqual(self.chain(good, self.write("two-streams", half))["runs"], ["c"])
            for length in (4, 9, 10, 40):
                bad[f"{pack.__module__} without {length}"] = whole[:-length]
        for name, content in bad.items():
            with self.subTest(name):
                self.assertEqual(self.chain(good, self.write("bad", content))["verdict"], "refused")

    def tar_with(self, *entries):
        out = io.BytesIO(gzip.decompress(sdist(OLD)))
        with tarfile.open(fileobj=out, mode="a") as archive:
            for name, kind, target in entries:
                entry = tarfile.TarInfo("package-1.0/" + name)
                entry.type, entry.linkname = kind, target
                archive.addfile(entry)
        return self.write("links.tar", out.getvalue())

    def test_links_in_a_tar_are_followed_inside_it(self):
        good = self.write("good.whl", wheel(OLD))
        for links in ([("n/versions", tarfile.SYMTYPE, "../m/versions")],
                      [("n/versions/a.py", tarfile.SYMTYPE, "../../m/versions/a.py"),
                       ("n/versions/b.py", tarfile.LNKTYPE, "package-1.0/m/versions/b.py")]):
            answer = self.chain(good, self.tar_with(*links), "--env", "m", "--env", "n")
            self.assertEqual((answer["verdict"], answer["new"]["heads"]), ("clean", ["b"]))
        for link in (("m/versions/c.py", tarfile.SYMTYPE, "../../../../c.py"), ("m/versions/c.py", tarfile.SYMTYPE, "/c.py"),
                     ("m/versions/c.py", tarfile.SYMTYPE, "gone.py"), ("n/versions", tarfile.SYMTYPE, "gone"),
                     ("m/versions/c.py", tarfile.FIFOTYPE, "")):
            answer = self.chain(good, self.tar_with(link), "--env", "m")
            self.assertEqual(answer["verdict"], "refused", link)
            self.assertIn(link[0], answer["problems"][0]["text"])

    def test_what_is_no_file_in_a_folder(self):
        good = self.write("good.whl", wheel(OLD))
        for number, make in enumerate((os.mkfifo, lambda path: os.symlink("gone.py", path))):
            folder = self.tree(f"tree{number}", OLD)
            os.symlink("b.py", os.path.join(folder, "m", "versions", "__init__.py"))
            self.assertEqual(self.chain(good, folder)["verdict"], "clean")
            make(os.path.join(folder, "m", "versions", "c.py"))
            answer = self.chain(good, folder)
            self.assertEqual(answer["verdict"], "refused")
            self.assertIn("m/versions/c.py", answer["problems"][0]["text"])

    def test_changed_bytes_are_refused_or_change_nothing(self):
        good = self.write("good.whl", wheel(OLD))
        content = wheel(OLD)
        for at in range(0, len(content), 5):
            changed = bytearray(content)
            changed[at] ^= 0x55
            answer = self.chain(good, self.write("changed.whl", bytes(changed)))
            if answer["verdict"] == "clean":
                self.assertEqual(answer["new"]["heads"], ["b"], at)

    def test_one_path_twice_in_an_archive(self):
        out = io.BytesIO(wheel(OLD))
        with zipfile.ZipFile(out, "a") as archive:
            archive.writestr("./m/versions/a.py", revision("a", "z"))
        answer = self.chain(self.write("good.whl", wheel(OLD)), self.write("twice.whl", out.getvalue()))
        self.assertEqual(answer["verdict"], "refused")
        self.assertIn("m/versions/a.py twice", answer["problems"][0]["text"])

    def test_what_is_no_package(self):
        good = self.write("good.whl", wheel(OLD))
        for other in (self.path("missing"), self.write("text", b"no archive at all\n"), self.write("empty", b""),
                      self.tree("other", {"a/b.py": "x = 1\n"})):
            self.assertEqual(self.chain(good, other)["verdict"], "refused", other)

    def test_a_graph_that_is_spread_over_two_packages(self):
        core, plugin = dict(OLD), {"p/versions/c.py": revision("c", "b")}
        core_path, plugin_path = self.write("core.whl", wheel(core)), self.write("plugin.whl", wheel(plugin))
        self.assertEqual(self.chain(plugin_path, plugin_path)["verdict"], "incomplete")
        answer = self.chain(core_path, f"{core_path},{plugin_path}")
        self.assertEqual((answer["verdict"], answer["runs"]), ("clean", ["c"]))

    def test_links_in_a_folder_lead_into_no_circle(self):
        folder = self.tree("tree", OLD)
        os.symlink("..", os.path.join(folder, "m", "again"))
        self.assertEqual(self.chain(folder, folder)["verdict"], "clean")

    def test_a_database_on_a_revision(self):
        old, new = self.write("old.whl", wheel(OLD)), self.write("new.whl", wheel(NEW))
        self.assertEqual(self.chain(old, new, "--db", "a")["verdict"], "clean")
        self.assertEqual(self.chain(old, new, "--db", "gone")["verdict"], "unknown_head")

    def test_a_problem_has_its_file_and_line(self):
        bad = {**OLD, "m/versions/c.py": '"""c"""\nrevision = "c"\ndown_revision = PARENT\n'}
        answer = self.chain(self.write("old.whl", wheel(OLD)), self.write("bad.whl", wheel(bad)))
        self.assertEqual(answer["verdict"], "refused")
        self.assertEqual((answer["problems"][0]["file"], answer["problems"][0]["line"]), ("m/versions/c.py", 3))

    def test_a_way_back_that_loses(self):
        new = {**OLD, "m/versions/c.py": revision("c", "b", "    pass"),
               "m/versions/d.py": revision("d", "c", "    raise NotImplementedError()")}
        answer = self.chain(self.write("old.whl", wheel(OLD)), self.write("new.whl", wheel(new)))
        self.assertEqual(answer["way_back"], {"runs": ["d", "c"], "empty": ["c"], "missing": [], "refuses": ["d"]})

    def test_the_other_conventions(self):
        flyway = {"db/V1__a.sql": "select 1;", "db/V1.1__b.sql": "", "db/V10__c.sql": "", "db/R__view.sql": ""}
        golang = {"m/000001_a.up.sql": "x", "m/000001_a.down.sql": "-- nothing\n", "m/000002_b.up.sql": "x"}
        rails = {"db/migrate/20240101_a.rb": "def change\n  x\nend\n", "db/migrate/20240301_c.rb": "def change\nend\n"}
        django = {f"app/migrations/000{n}_x.py": "class Migration(migrations.Migration):\n    dependencies = "
                  + (f"[('app', '000{n - 1}_x'), migrations.swappable_dependency(settings.U), ('auth', '0001')]\n"
                     if n > 1 else "[]\n") for n in (1, 2)}
        cases = [(flyway, {"db/V2__late.sql": ""}, "flyway", ["2"]),
                 (golang, {}, "golang-migrate", []),
                 (rails, {"db/migrate/20240201_b.rb": ""}, "rails", ["20240201"]),
                 (django, {}, "django", [])]
        for number, (files, more, convention, skipped) in enumerate(cases):
            old = self.write(f"{number}-old.zip", wheel(files))
            answer = self.chain(old, self.write(f"{number}-new.zip", wheel({**files, **more})))
            self.assertEqual(answer["new"]["convention"], convention)
            self.assertEqual(answer["skipped"], skipped, convention)
            self.assertEqual(len(answer["new"]["heads"]), 1, convention)

    def test_folders_of_rails_belong_to_one_environment(self):
        old = {"db/migrate/20240101_a.rb": "", "db/migrate/2024/20240301_c.rb": ""}
        answer = self.chain(self.write("old.zip", wheel(old)),
                            self.write("new.zip", wheel({**old, "db/migrate/2024/spring/20240201_b.rb": ""})))
        self.assertEqual((answer["new"]["convention"], answer["new"]["environment"]), ("rails", "db/migrate"))
        self.assertEqual((answer["verdict"], answer["skipped"]), ("skipped", ["20240201"]))


if __name__ == "__main__":
    unittest.main()
