"""Files that would execute something here: nothing is, before somebody said yes."""

import json
import os
import pty
import re
import select
import shutil
import subprocess

import hostile
from hostile import DONE, NEW, NO
from program import program, scaled

ASK_SECONDS_MAX = scaled(30)


class FirstContactCase(hostile.Case):
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


class FirstContact(FirstContactCase):
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

    def test_content_of_any_file(self) -> None:
        """A file counts with its content, however large, and whatever its first bytes say."""
        self.receive()
        for name, content in (("large", "#" * (2 << 20)), ("elf", "\x7fELF\n")):
            with self.subTest(name):
                self.write_script(f"# {content}" if name == "large" else "")
                if name == "elf":
                    with open(self.script, encoding="utf-8") as file:
                        text = file.read()
                    with open(self.script, "w", encoding="utf-8") as file:
                        file.write(f": {content}{text}")
                self.drydock("survey", "--trust", expect=DONE)
                self.drydock("survey", expect=DONE)
                with open(self.script, "a", encoding="utf-8") as file:
                    file.write("# more\n")
                self.assert_asked("survey")
        with open(self.script, "a", encoding="utf-8") as file:
            file.truncate(300 << 20)
        self.assertIn("too large", self.assert_asked("survey"))

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
            for argv in self.command_lines():
                self.assertIn(" ".join(argv), " ".join(said.split()))
        for words in (["check", self.plan], ["guide", self.plan]):
            self.drydock(*words)
            self.assertFalse(os.path.exists(self.mark), words)
        self.environment["XDG_STATE_HOME"] = own
        self.drydock("apply", "--dry-run", self.plan, expect=DONE)
        self.drydock("apply", self.plan, expect=DONE)
        self.assert_all_on(NEW)
        self.environment["XDG_STATE_HOME"] = os.path.join(self.scratch, "other")
        self.assert_asked("downgrade", "--dry-run")

    def command_lines(self) -> list[list[str]]:
        """Of the services that the plan starts and of its probes: both run what they say."""
        with open(self.plan, encoding="utf-8") as file:
            plan = json.load(file)
        services = [action["request"]["service"]["argv"] for action in plan["actions"]
                    if (action["request"] or {}).get("kind") == "service_start"]
        probes = [source["probe"]["argv"] for source in plan["sources"].values()
                  if source["probe"] and "argv" in source["probe"]]
        self.assertTrue(services)
        return services + probes

    def test_run_in_progress(self) -> None:
        """Who takes over somebody else's run is asked, too: nothing is executed, stopped or ended
        before a yes, by none of the commands that go on with it."""
        self.receive()
        self.drydock("plan", "--to", NEW, "-o", self.plan, "--trust", expect=DONE)
        self.kill_in_stop("m2", 1)
        self.cluster.wait_quiet()
        own = self.environment["XDG_STATE_HOME"]
        self.environment["XDG_STATE_HOME"] = os.path.join(self.scratch, "other")
        records = self.rows("SELECT records FROM runs")
        for words in (["resume"], ["resume", "--dry-run"], ["abort"], ["downgrade"],
                      ["downgrade", "--dry-run"]):
            with self.subTest(words):
                self.assertIn(self.script, self.assert_asked(*words))
        self.assertEqual(self.rows("SELECT records FROM runs"), records)
        self.assertEqual([self.cluster.stops(member) for member in ("m1", "m2", "m3")], [1, 1, 0])
        self.drydock("downgrade", "--trust", expect=DONE)
        self.assert_all_on(hostile.OLD)
        self.environment["XDG_STATE_HOME"] = own
        self.drydock("apply", self.make_plan(), expect=DONE)
        self.environment["XDG_STATE_HOME"] = os.path.join(self.scratch, "other")
        self.drydock("downgrade", expect=DONE)  # of a cluster file that is known here by now


class RemoteWords(hostile.Case):
    """What `ssh` does: its words are joined, and a shell on the other side reads them."""

    def receive(self, old: str, new: str) -> None:
        self.begin(lines=["h1"])
        self.mark = os.path.join(self.scratch, "mark")
        far = os.path.join(self.scratch, "far.sh")
        with open(far, "w", encoding="utf-8") as file:
            file.write('shift; exec sh -c "$*"\n')
        self.use("connect: [", f"connect: [sh, {far}, host, ")
        self.use(old, new.replace("MARK", self.mark))
        self.environment |= {"DRYDOCK_TRUST": "", "XDG_STATE_HOME": os.path.join(
            self.scratch, "home")}

    def test_words_of_a_shell(self) -> None:
        """A folder or program that is a command line is listed, and never sent, not even after a
        yes; nor is one that is made of the cluster's own folder."""
        for old, new in (("hosts/h1", "hosts/h1; touch MARK #"),
                         (f'agent: "{program()}"', 'agent: "$(touch MARK)"')):
            with self.subTest(old):
                self.receive(old, new)
                asked = self.drydock("survey", expect=NO)
                self.assertIn(f"touch {self.mark}", self.words_of(asked))
                told = self.drydock("survey", "--trust")
                self.assertIn("would be read by a shell", self.words_of(told))
                self.assertFalse(os.path.exists(self.mark))

    def test_verify_of_hosts(self) -> None:
        """Hosts are asked for heads, and their folders made, after a yes to the whole cluster."""
        self.begin()
        self.drydock("apply", self.make_plan(), expect=DONE)
        folder = os.path.join(self.scratch, "elsewhere")
        self.use("hosts/h1", "../" + os.path.basename(self.scratch) + "/elsewhere")
        self.environment |= {"DRYDOCK_TRUST": "", "XDG_STATE_HOME": os.path.join(
            self.scratch, "home")}
        self.assertIn("member m1", self.words_of(
            self.drydock("journal", "verify", "--hosts", expect=NO)))
        self.assertFalse(os.path.exists(folder))


class LocalContact(hostile.Case):
    """A received file that names no connection: its settings, services and releases are programs."""

    def receive(self, connect: str = "local") -> None:
        self.begin()
        self.mark = os.path.join(self.scratch, "mark")
        self.tool = os.path.join(self.scratch, "tool.sh")
        with open(self.tool, "w", encoding="utf-8") as file:
            file.write(f"#!/bin/sh\necho tool >> {self.mark}\necho true\n")
        os.chmod(self.tool, 0o755)
        with open(self.cluster_file, encoding="utf-8") as file:
            text = re.sub(r"(connect: local), agent: [^,}]*", r"\1", file.read())
        text, count = re.subn(r'tool: "[^"]*"', f'tool: "{self.tool}"', text)
        self.assertEqual(count, 1)
        with open(self.cluster_file, "w", encoding="utf-8") as file:
            file.write(text)
        self.home("home")

    def home(self, name: str) -> None:
        """The memory of another account."""
        self.environment |= {"DRYDOCK_TRUST": "",
                             "XDG_STATE_HOME": os.path.join(self.scratch, name)}

    def assert_refused(self, *words: str) -> str:
        done = self.drydock(*words, expect=NO)
        self.assertIn("not known here", done.stderr)
        self.assertFalse(os.path.exists(self.mark), done.text())
        return self.words_of(done)

    def test_settings(self) -> None:
        """The program of a setting is listed, with its member; nothing runs before a yes."""
        self.receive()
        for words in (["survey"], ["route", "--to", NEW], ["plan", "--to", NEW],
                      ["upgrade", "--to", NEW], ["upgrade", "--to", NEW, "--dry-run"]):
            said = self.assert_refused(*words)
            self.assertIn("member m1 on h1: ", said)
            self.assertIn(f"{self.tool} ready", said)
            self.assertIn("toy_member serve m1", said)
        self.assertFalse(os.path.exists(os.path.join(self.scratch, "state")))
        self.drydock("survey", "--trust", expect=DONE)
        self.assertTrue(os.path.exists(self.mark))
        self.drydock("plan", "--to", NEW, "-o", self.plan, expect=DONE)

    def test_only_this_time(self) -> None:
        """The variable remembers nothing: neither of the file nor of what was made of it."""
        self.receive()
        for words in (["plan", "--to", NEW, "-o", self.plan], ["upgrade", "--to", NEW]):
            self.drydock(*words, expect=DONE, env={"DRYDOCK_TRUST": "1"})
        self.assertFalse(os.path.exists(os.path.join(self.scratch, "home")))
        os.unlink(self.mark)
        self.assert_refused("survey")

    def test_probes_of_plans(self) -> None:
        """A probe that only a plan can fill in is listed with the file, before a plan is made."""
        self.receive()
        pack = os.path.join(self.environment["DRYDOCK_PACKS"], "toy", "pack.yaml")
        with open(pack, encoding="utf-8") as file:
            text = file.read()
        own = "    service: {type: text"
        self.assertIn(own, text)
        with open(pack, "w", encoding="utf-8") as file:
            file.write(text.replace(own, "    later: {type: text, probe: {command: {argv: "
                                    '["${tool}", later, "${to}"], regex: "(.*)"}}}\n' + own))
        self.assertIn(f"{self.tool} later 2.0", self.assert_refused("survey"))

    def test_what_changes(self) -> None:
        """Each part of a file that decides something is asked about again when it differs."""
        self.receive()
        self.use("settings: {data_dir", 'settings: {password: {secret: {file: /nowhere}}, data_dir')
        self.use("env: {", 'env: {TOY_PASSWORD: "${password}", ')
        self.use("policy: {", "releases:\n  \"2.5\": {series: \"2\"}\npolicy: {")
        self.drydock("survey", "--trust")  # the secret's file is missing; a yes is kept all the same
        self.assertFalse(os.path.exists(self.mark))
        self.assertNotIn("not known here", self.drydock("survey").stderr)
        with open(self.cluster_file, encoding="utf-8") as file:
            text = file.read()
        member, cluster = "member m1 on h1", "cluster toy: records in"
        changes = {"setting": (self.tool, "/bin/true", member),
                   "argument": ("serve", "serve2", member),
                   "release": ('releases/2.0"', 'nowhere"', member),
                   "environment": ("env: {", "env: {LD_PRELOAD: /nowhere, ", member),
                   "backups": ("soak: 0s", "soak: 0s, backups: {path: /nowhere}", member),
                   "state of a host": ("hosts/h1", "hosts/h4", "host h1: "),
                   "state": (f"state: {self.scratch}/state", "state: /nowhere", cluster[:12]),
                   "policy": ("soak: 0s", "soak: 1s", cluster),
                   "signers": ("soak: 0s", "soak: 0s, signatures: {allowed: /nowhere}",
                               cluster),
                   "own release": ('"2.5"', '"2.6"', cluster),
                   "law of a release": ('series: "2"', 'series: "1"', cluster),
                   "secret": ("file: /nowhere", "file: /elsewhere", "secret "),
                   "name": ("cluster: toy", "cluster: other", "secret ")}
        for name, (old, new, listed) in changes.items():
            with self.subTest(name):
                self.assertIn(old, text)
                with open(self.cluster_file, "w", encoding="utf-8") as file:
                    file.write(text.replace(old, new))
                self.assertIn(listed, self.assert_refused("survey"))
        with open(self.cluster_file, "w", encoding="utf-8") as file:
            file.write(text + "\n# a comment\n")
        self.assertNotIn("not known here", self.drydock("survey").stderr)

    def test_one_member(self) -> None:
        """Only what is new is asked about."""
        self.receive()
        self.drydock("survey", "--trust", expect=DONE)
        os.unlink(self.mark)
        self.use("host: h3}", "host: h3, settings: {tool: /bin/false}}")
        said = self.assert_refused("survey")
        self.assertIn("member m3 on h3", said)
        self.assertNotIn("member m1", said)

    def test_plan_that_names_it(self) -> None:
        """`rehearse` reads the cluster file that a plan names: nothing of it runs, either."""
        self.receive()
        self.drydock("plan", "--to", NEW, "-o", self.plan, "--trust", expect=DONE)
        os.unlink(self.mark)
        self.home("other")
        state = os.path.join(self.scratch, "state")
        shutil.rmtree(state, ignore_errors=True)
        for words in (["rehearse", self.plan], ["apply", self.plan], ["apply", "--dry-run",
                                                                      self.plan]):
            with self.subTest(words):
                self.drydock(*words, expect=NO)
                self.assertFalse(os.path.exists(self.mark))
                self.assertFalse(os.path.exists(state))

    def test_without_a_memory(self) -> None:
        """A yes that cannot be kept is none; the variable needs no memory."""
        self.receive()
        self.environment |= {"HOME": "", "XDG_STATE_HOME": ""}
        for words in (["survey"], ["survey", "--trust"]):
            self.drydock(*words, expect=NO)
            self.assertFalse(os.path.exists(self.mark))
        self.drydock("survey", expect=DONE, env={"DRYDOCK_TRUST": "1"})


class Question(FirstContactCase):
    """The same on a terminal, where a person answers."""

    def ask(self, *words: str, answer: bytes = b"", input_too: bool = True) -> tuple[int, str]:
        """Exit code of drydock on a terminal, and what it showed; `answer` is typed once it asks."""
        keyboard, terminal = pty.openpty()
        child = subprocess.Popen(
            [program(), *words, "-c", self.cluster_file], cwd=self.scratch,
            stdin=terminal if input_too else subprocess.DEVNULL, stdout=terminal, stderr=terminal,
            start_new_session=True, env=os.environ | self.environment)
        os.close(terminal)
        shown = b""
        try:
            while select.select([keyboard], [], [], ASK_SECONDS_MAX)[0]:
                piece = os.read(keyboard, 4096)
                shown += piece
                if b"`yes` does: " in shown and answer:
                    os.write(keyboard, answer)
                    answer = b""
        except OSError:
            pass  # the other end is closed
        finally:
            os.close(keyboard)
        return child.wait(ASK_SECONDS_MAX), shown.decode()

    def test_no(self) -> None:
        """Only the whole word counts; all else refuses, executes nothing, and is forgotten."""
        self.receive()
        for answer in (b"no\n", b"y\n", b"YES\n", b"yes!\n", b"\n", b"\x04"):
            with self.subTest(answer):
                code, shown = self.ask("survey", answer=answer)
                self.assertEqual(code, NO, shown)
                self.assertIn(self.script, shown)
                self.assertFalse(os.path.exists(self.mark), shown)

    def test_yes(self) -> None:
        """It is asked once."""
        self.receive()
        code, shown = self.ask("survey", answer=b"yes\n")
        self.assertEqual(code, DONE, shown)
        self.assertTrue(os.path.exists(self.mark))
        code, shown = self.ask("survey")
        self.assertEqual(code, DONE, shown)
        self.assertNotIn("not known here", shown)

    def test_nobody_there(self) -> None:
        """No question where the answer would come from elsewhere, or where a machine reads."""
        self.receive()
        for words, input_too in ((["survey"], False), (["survey", "--json"], True)):
            code, shown = self.ask(*words, input_too=input_too)
            self.assertEqual(code, NO, shown)
            self.assertNotIn("Only `yes` does", shown)
            self.assertFalse(os.path.exists(self.mark), shown)

    def test_text_that_acts(self) -> None:
        """What the file would execute is shown, and does nothing to the terminal."""
        self.receive()
        self.use("connect: [sh, ", 'connect: ["sh\\e[2J\\e]0;x\\a", ')
        code, shown = self.ask("survey", answer=b"no\n")
        self.assertEqual(code, NO, shown)
        self.assertIn("\\u001b[2J", shown)
        self.assertNotIn("\x1b[2J", shown)
        self.assertNotIn("\a", shown)


if __name__ == "__main__":
    hostile.main()
