"""Files that would execute something here: nothing is, before somebody said yes."""

import os
import re

import hostile
from hostile import DONE, NEW, NO


class FirstContact(hostile.Case):
    def receive(self) -> None:
        """A cluster file whose `connect` and secret leave a mark each, for who never saw it."""
        self.begin(lines=["h1"])
        self.mark = os.path.join(self.scratch, "mark")
        self.script = os.path.join(self.scratch, "connect.sh")
        self.write_script("")
        with open(self.cluster_file, encoding="utf-8") as file:
            text = file.read()
        self.assertIn("connect: [", text)
        text = text.replace("connect: [", f"connect: [sh, {self.script}, ")
        text = text.replace("env: {", 'env: {TOY_PASSWORD: "${password}", ')
        for member in ("m2", "m3"):
            text = text.replace(f"host: h{member[1]}}}",
                                f"host: h{member[1]}, settings: {{password: none}}}}")
        text = text.replace("host: h1}", "host: h1, settings: {password: {secret: {command: "
                            f"[sh, -c, 'echo secret >> {self.mark}; echo x']}}}}}}}}", 1)
        with open(self.cluster_file, "w", encoding="utf-8") as file:
            file.write(text)
        self.environment |= {"DRYDOCK_TRUST": "", "XDG_STATE_HOME": os.path.join(
            self.scratch, "home")}

    def write_script(self, more: str) -> None:
        with open(self.script, "w", encoding="utf-8") as file:
            file.write(f'echo connect >> {self.mark}\n{more}\nexec "$@"\n')

    def assert_asked(self, *words: str) -> str:
        """Refused, with nothing executed; what was said."""
        if os.path.exists(self.mark):
            os.unlink(self.mark)
        done = self.drydock(*words, expect=NO)
        self.assertIn("not known here", done.stderr)
        self.assertFalse(os.path.exists(self.mark), done.text())
        return self.words_of(done)

    def test_cluster_file(self) -> None:
        """No command that only looks executes anything of an unknown cluster file."""
        self.receive()
        for words in (["survey"], ["route", "--to", NEW], ["plan", "--to", NEW]):
            said = self.assert_asked(*words)
            self.assertIn(self.script, said)
            self.assertIn("secret", said)
        for words in (["status"], ["log"], ["journal", "verify"]):
            self.drydock(*words)
            self.assertFalse(os.path.exists(self.mark), words)
        self.assertFalse(os.path.exists(os.path.join(self.scratch, "home")))

    def test_yes_is_remembered(self) -> None:
        """One yes is enough, until a script that is named has other content."""
        self.receive()
        self.drydock("survey", "--trust", expect=DONE)
        with open(self.mark, encoding="utf-8") as file:
            self.assertEqual(set(file.read().split()), {"connect", "secret"})
        self.drydock("survey", expect=DONE)
        folder = os.path.join(self.scratch, "home", "drydock")
        self.assertEqual(os.stat(folder).st_mode & 0o777, 0o700)
        self.assertEqual(os.stat(os.path.join(folder, "trusted")).st_mode & 0o777, 0o600)
        self.write_script("# and more")
        said = self.assert_asked("survey")
        self.assertNotIn("echo secret", said)  # that one is known

    def test_memory_of_others(self) -> None:
        """A memory that others may write says nothing."""
        self.receive()
        self.drydock("survey", "--trust", expect=DONE)
        os.chmod(os.path.join(self.scratch, "home", "drydock"), 0o777)
        os.unlink(self.mark)
        self.drydock("survey", expect=NO)
        self.assertFalse(os.path.exists(self.mark))

    def test_plan(self) -> None:
        """A plan of somebody else is asked about; one's own is not."""
        self.receive()
        self.drydock("plan", "--to", NEW, "-o", self.plan, "--trust", expect=DONE)
        own = self.environment["XDG_STATE_HOME"]
        self.environment["XDG_STATE_HOME"] = os.path.join(self.scratch, "other")
        for words in (["apply", "--dry-run", self.plan], ["apply", self.plan]):
            said = self.assert_asked(*words)
            self.assertIn(self.script, said)
            self.assertIn("on its hosts", said)
        for words in (["check", self.plan], ["guide", self.plan]):
            self.drydock(*words)
            self.assertFalse(os.path.exists(self.mark), words)
        self.environment["XDG_STATE_HOME"] = own
        self.drydock("apply", "--dry-run", self.plan, expect=DONE)
        self.drydock("apply", self.plan, expect=DONE)
        self.assert_all_on(NEW)
        self.environment["XDG_STATE_HOME"] = os.path.join(self.scratch, "other")
        self.assert_asked("downgrade", "--dry-run")

    def test_nothing_of_its_own(self) -> None:
        """A cluster file that names no program is not asked about, even without a home."""
        self.begin()
        self.environment |= {"DRYDOCK_TRUST": "", "HOME": "", "XDG_STATE_HOME": ""}
        with open(self.cluster_file, encoding="utf-8") as file:
            text = re.sub(r"(connect: local), agent: [^,}]*", r"\1", file.read())
        self.assertIn("connect: local", text)
        self.assertNotIn("agent:", text)
        with open(self.cluster_file, "w", encoding="utf-8") as file:
            file.write(text)
        self.drydock("survey", expect=DONE)


if __name__ == "__main__":
    hostile.main()
