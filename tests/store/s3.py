"""An S3 server with an empty bucket for a copy of a store: ../field/common/radosgw.py, with what backy2 needs."""

import os
import re

import stores  # also finds ../field/common
from radosgw import ACCESS_KEY, BUCKET, SECRET_KEY, Server as AnyServer, Unavailable, free_port  # noqa: F401


class Server(AnyServer):
    """Runs from its making to close(), with an empty bucket."""

    def take_blobs(self, copy: "stores.StoreCopy") -> None:
        """Puts the blobs of a copy into the bucket, which is emptied before, and configures it so."""
        while keys := list(self.keys()):
            self.request("DELETE", "{" + ",".join(keys) + "}", code=204)
        for folder, _, names in os.walk(copy.data):
            for name in names:
                with open(os.path.join(folder, name), "rb") as file:
                    self.request("PUT", name.removesuffix(".blob"), file.read())
        self.configure(copy)

    def configure(self, copy: "stores.StoreCopy", secret: str = SECRET_KEY, bucket: str = BUCKET,
                  endpoint: str = "") -> None:
        with open(copy.config, encoding="utf-8") as file:
            text = file.read()
        settings = ("[DataBackend]\ntype: backy2.data_backends.s3\n"
                    f"aws_access_key_id: {ACCESS_KEY}\naws_secret_access_key: {secret}\n"
                    f"endpoint_url: {endpoint or self.endpoint}/\nbucket_name: {bucket}\n")
        text = re.sub(r"(?s)\[DataBackend\].*?(?=\[)", settings, text)
        with open(copy.config, "w", encoding="utf-8") as file:
            file.write(text)
