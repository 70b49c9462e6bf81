"""Plans that somebody else may write: where the policy asks for it, only signed ones are applied."""

import hashlib
import json
import os
import shutil
import subprocess
import unittest

import hostile
from forge import canonical
from hostile import DONE, NEW, NO, USAGE


@unittest.skipUnless(shutil.which("ssh-keygen"), "needs ssh-keygen")
class Signature(hostile.Case):
    def begin_signed(self, required: str = "true", variant: str = "toy") -> None:
        """A cluster whose policy allows anna's key, and a plan without a signature."""
        self.begin(variant)
        self.signers = os.path.join(self.scratch, "signers")
        self.use("policy: {", f"policy: {{signatures: {{allowed: signers, required: {required}}}, ")
        key = self.make_key("anna")
        with open(key + ".pub", encoding="utf-8") as public, \
                open(self.signers, "w", encoding="utf-8") as file:
            file.write(f"# who may sign\nanna@example.org {public.read()}")
        self.make_plan()

    def make_key(self, name: str) -> str:
        key = os.path.join(self.scratch, name)
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
        return key

    def sign(self, name: str = "anna") -> None:
        self.drydock("sign", self.plan, "--key", os.path.join(self.scratch, name), expect=DONE)

    def assert_refused(self, why: str, *words: str) -> None:
        for dry in (["--dry-run"], []):
            done = self.drydock("apply", self.plan, *dry, *words, expect=(NO, USAGE))
            self.assertRegex(self.words_of(done), why)
        self.assertEqual(self.runs(), [])

    def edit(self, **changes: str) -> None:
        """Changes the plan, with a digest that is right again."""
        with open(self.plan, encoding="utf-8") as file:
            plan = json.load(file)
        plan |= changes
        check = plan.pop("check", None)
        del plan["digest"]
        plan["digest"] = hashlib.sha256(canonical(plan)).hexdigest()
        with open(self.plan, "w", encoding="utf-8") as file:
            json.dump(plan | ({"check": check} if check else {}), file)

    def test_signed_plan(self) -> None:
        """It is applied, and the journal says who signed."""
        self.begin_signed()
        self.assert_refused("is not signed")
        self.sign()
        self.drydock("apply", self.plan, "--dry-run", expect=DONE)
        self.drydock("apply", self.plan, "-c", self.cluster_file, expect=DONE)
        self.assert_all_on(NEW)
        created = self.events()[0]
        self.assertEqual(created["detail"]["signed_by"], "anna@example.org")
        self.drydock("downgrade", expect=DONE)  # made here, of the run that was signed

    def test_rehearsal(self) -> None:
        """A plan that may not be applied is not rehearsed, either."""
        self.begin_signed(variant="rehearsal")
        done = self.drydock("rehearse", self.plan, expect=NO)
        self.assertIn("is not signed", self.words_of(done))
        self.assertEqual(self.runs(), [])
        self.sign()
        self.drydock("rehearse", self.plan, expect=DONE)
        self.edit(on_failure="return")
        done = self.drydock("rehearse", self.plan, expect=NO)
        self.assertRegex(self.words_of(done), "signature .* does not fit")

    def test_by_hand(self) -> None:
        """A person verifies the file as it is, with ssh-keygen alone."""
        self.begin_signed()
        self.sign()
        with open(self.plan, "rb") as plan:
            subprocess.run(["ssh-keygen", "-Y", "verify", "-f", self.signers, "-I",
                            "anna@example.org", "-n", "drydock-plan", "-s", self.plan + ".sig"],
                           stdin=plan, check=True, stdout=subprocess.DEVNULL)

    def test_edited_plan(self) -> None:
        """Whatever was changed behind the signature, digest or not."""
        self.begin_signed()
        self.sign()
        self.edit(on_failure="return")
        self.assert_refused("signature .* does not fit")

    def test_edited_verdict(self) -> None:
        """The verdict of the check lies outside the digest, and inside the signature."""
        self.begin_signed()
        self.sign()
        with open(self.plan, encoding="utf-8") as file:
            plan = json.load(file)
        plan["check"]["states"] += 1
        with open(self.plan, "w", encoding="utf-8") as file:
            json.dump(plan, file)
        self.assert_refused("signature .* does not fit")

    def test_other_layout(self) -> None:
        """White space is nothing that a signature is about: the canonical bytes are signed."""
        self.begin_signed()
        self.sign()
        with open(self.plan, encoding="utf-8") as file:
            plan = json.load(file)
        with open(self.plan, "w", encoding="utf-8") as file:
            json.dump(plan, file, indent=4)
        self.drydock("apply", self.plan, "--dry-run", expect=DONE)

    def test_strangers_key(self) -> None:
        self.begin_signed()
        self.make_key("mallory")
        self.sign("mallory")
        self.assert_refused("nobody whom .*signers allows")

    def test_other_purpose(self) -> None:
        """What anna signed as a file, say in git, is no signature of a plan."""
        self.begin_signed()
        subprocess.run(["ssh-keygen", "-q", "-Y", "sign", "-f", os.path.join(self.scratch, "anna"),
                        "-n", "file", self.plan], check=True, stderr=subprocess.DEVNULL)
        self.assert_refused("signature .* does not fit")

    def test_rubbish(self) -> None:
        self.begin_signed()
        for rubbish in ("", "no signature\n", "-----BEGIN SSH SIGNATURE-----\n", "x" * 100_000):
            with open(self.plan + ".sig", "w", encoding="utf-8") as file:
                file.write(rubbish)
            self.assert_refused("signature|over 65536 bytes")

    def test_signers_of_others(self) -> None:
        """A list that others may write allows nobody."""
        self.begin_signed()
        self.sign()
        os.chmod(self.signers, 0o666)
        self.assert_refused("may be written by others")
        os.unlink(self.signers)
        self.assert_refused("signers")

    def test_other_cluster_file(self) -> None:
        """A plan that names another cluster file brings another policy: with -c it is told."""
        self.begin_signed()
        loose = self.cluster.write_cluster_file(state="loose")
        os.rename(loose, loose := loose.replace("toy.yaml", "loose.yaml"))
        self.use_policy_again()
        for changes in ({"cluster_file": loose}, {"cluster_file": "/nowhere"},
                        {"state": os.path.join(self.scratch, "loose")}, {"cluster": "loose"}):
            with self.subTest(changes):
                self.make_plan()
                self.edit(**changes)
                self.assert_refused("is not signed|not a plan of", "-c", self.cluster_file)

    def use_policy_again(self) -> None:
        self.cluster.write_cluster_file()
        self.use("policy: {", "policy: {signatures: {allowed: signers}, ")

    def test_not_required(self) -> None:
        """Then a plan without a signature goes, and one with a wrong signature does not."""
        self.begin_signed("false")
        self.drydock("apply", self.plan, "--dry-run", expect=DONE)
        self.make_key("mallory")
        self.sign("mallory")
        self.assert_refused("nobody whom")

    def test_key_that_is_away(self) -> None:
        """Nothing is written then; and no broken plan is signed."""
        self.begin_signed()
        self.drydock("sign", self.plan, "--key", "/nowhere", expect=NO)
        self.assertFalse(os.path.exists(self.plan + ".sig"))
        with open(self.plan, "a", encoding="utf-8") as file:
            file.write("}")
        self.drydock("sign", self.plan, "--key", os.path.join(self.scratch, "anna"), expect=USAGE)
        self.assertFalse(os.path.exists(self.plan + ".sig"))


if __name__ == "__main__":
    hostile.main()
