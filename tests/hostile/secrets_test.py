"""Who gets which secret, and who can read it."""

import json
import os

import hostile
from hostile import DONE, NEW

VALUES = {f"m{number}": f"s3cret-of-m{number}-xyzzy" for number in (1, 2, 3)}


class Secrets(hostile.Case):
    def begin_with_secrets(self) -> None:
        """Each member has a secret of its own in its environment."""
        self.begin(lines=["h1", "h2", "h3"])
        self.environment |= {f"TOY_{name}": value for name, value in VALUES.items()}
        with open(self.cluster_file, encoding="utf-8") as file:
            text = file.read()
        text = text.replace("env: {", 'env: {TOY_PASSWORD: "${password}", ')
        for name in VALUES:
            text = text.replace(
                f"host: h{name[1]}}}",
                f"host: h{name[1]}, settings: {{password: {{secret: {{env: TOY_{name}}}}}}}}}")
        with open(self.cluster_file, "w", encoding="utf-8") as file:
            file.write(text)

    def test_each_host_gets_its_own(self) -> None:
        """No request to a host has a secret that it does not name; nothing on disk has one."""
        self.begin_with_secrets()
        self.make_plan()
        self.drydock("apply", self.plan, expect=DONE)
        self.assert_all_on(NEW)
        for host in ("h1", "h2", "h3"):
            own = VALUES["m" + host[1]]
            told = json.dumps(self.requests(host))
            self.assertIn(own, told)
            for value in set(VALUES.values()) - {own}:
                self.assertNotIn(value, told, f"{host} got a secret of another member")
            for request in self.requests(host):
                self.assert_named(request)
        self.assert_on_no_disk()

    def assert_named(self, request: dict) -> None:
        rest = json.dumps({key: value for key, value in request.items() if key != "secrets"})
        for name, value in request.get("secrets", {}).items():
            self.assertIn(f"${{secret:{name}}}", rest)
            self.assertNotIn(value, rest)

    def assert_on_no_disk(self) -> None:
        for folder, _, names in os.walk(self.scratch):
            if os.path.basename(os.path.dirname(folder)) == "lines":
                continue  # what rogue.py wrote down
            for name in names:
                with open(os.path.join(folder, name), "rb") as file:
                    data = file.read()
                for value in VALUES.values():
                    self.assertNotIn(value.encode(), data, os.path.join(folder, name))


if __name__ == "__main__":
    hostile.main()
