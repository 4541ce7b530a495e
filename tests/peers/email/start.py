"""Dovecot as the mailbox and aiosmtpd as the submission server, on loopback, in a folder of their own.

    start.py            prints one JSON line when both answer: ports, passwords, the CA's file

aiosmtpd takes mail only from who has signed in, writes who that was into `Authentication-Results`, as a provider does, and hands it to
Dovecot's LMTP. Lines on stdin: `imap stop`, `imap start`, `password NEW` (of the bot), `smtp MODE` (`good`, `busy`: 451, `full`: 452 at the
end of a message); each is answered with {"done"}. Ends when stdin closes.
"""

import json
import os
import pwd
import shutil
import smtplib
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import warnings
from email import message_from_bytes
from email.utils import parseaddr
from pathlib import Path

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

warnings.simplefilter("ignore")  # AUTH without TLS: this is loopback
PEOPLE = {"bot": "bot-password", "ann": "ann-password", "eve": "eve-password"}
DOMAIN = "kata.test"
place = Path(tempfile.mkdtemp(prefix="kata-mail-"))
os.chmod(place, 0o755)


def port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def openssl(*args):
    subprocess.run(["openssl", *args], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def certificates():
    ca, key, csr, cert = (str(place / name) for name in ("ca.pem", "key.pem", "csr.pem", "cert.pem"))
    openssl("req", "-x509", "-newkey", "rsa:2048", "-keyout", str(place / "ca.key"), "-out", ca, "-days", "2", "-nodes", "-subj", "/CN=Kata test CA",
            "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign")
    openssl("req", "-newkey", "rsa:2048", "-keyout", key, "-out", csr, "-nodes", "-subj", "/CN=localhost")
    (place / "ext").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth\n")
    openssl("x509", "-req", "-in", csr, "-CA", ca, "-CAkey", str(place / "ca.key"), "-CAcreateserial", "-out", cert, "-days", "2", "-extfile", str(place / "ext"))
    return ca, cert, key


ca, cert, key = certificates()
imap, imaps, lmtp, smtp = port(), port(), port(), port()
user = "nobody" if os.geteuid() == 0 else pwd.getpwuid(os.getuid()).pw_name
group = "nogroup" if os.geteuid() == 0 else str(os.getgid())


def users():
    (place / "users").write_text("".join(f"{name}@{DOMAIN}:{{PLAIN}}{word}::::::\n" for name, word in PEOPLE.items()))


users()
(place / "mail").mkdir()
shutil.chown(place / "mail", user, group)
(place / "dovecot.conf").write_text(f"""
base_dir = {place}/run
state_dir = {place}/state
log_path = {place}/dovecot.log
protocols = imap lmtp
listen = 127.0.0.1
ssl = yes
ssl_cert = <{cert}
ssl_key = <{key}
disable_plaintext_auth = no
auth_mechanisms = plain login
auth_failure_delay = 0
mail_location = maildir:{place}/mail/%n
mail_max_userip_connections = 100
first_valid_uid = 1
first_valid_gid = 1
passdb {{
  driver = passwd-file
  args = {place}/users
}}
userdb {{
  driver = static
  args = uid={user} gid={group} home={place}/mail/%n
}}
service imap-login {{
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
    ssl = yes
  }}
}}
service lmtp {{
  inet_listener lmtp {{
    address = 127.0.0.1
    port = {lmtp}
  }}
}}
service stats {{
  client_limit = 1000
}}
protocol lmtp {{
  postmaster_address = postmaster@{DOMAIN}
}}
""")


class Dovecot:
    process = None

    def start(self):
        self.process = subprocess.Popen(["dovecot", "-F", "-c", str(place / "dovecot.conf")], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(300):
            try:
                with socket.create_connection(("127.0.0.1", imap), 1) as s:
                    if s.recv(5) == b"* OK ":
                        return
            except OSError:
                pass
            time.sleep(0.1)
        sys.exit((place / "dovecot.log").read_text() if (place / "dovecot.log").exists() else "dovecot does not start")

    def stop(self):
        if self.process is not None:
            self.process.terminate()
            self.process.wait()
            self.process = None


class Handler:
    mode = "good"

    async def handle_DATA(self, server, session, envelope):
        if self.mode == "busy":
            return "451 4.3.0 try again later"
        if self.mode == "full":
            return "452 4.2.2 the disk is full"
        signed = session.auth_data
        sender = envelope.mail_from
        # A provider that lets nobody write in a neighbour's name.
        author = parseaddr(message_from_bytes(envelope.original_content)["From"])[1]
        verdict = "pass" if author == f"{signed}@{DOMAIN}" else "fail"
        head = f"Authentication-Results: mx.{DOMAIN}; dmarc={verdict} header.from={author.split('@')[-1]}\r\nReceived: by mx.{DOMAIN}\r\n".encode()
        stored = False
        try:
            with smtplib.LMTP("127.0.0.1", lmtp) as client:
                client.sendmail(sender, envelope.rcpt_tos, head + envelope.original_content)
                stored = True
        except OSError:
            # As a mail server without its store says it: for now. What the store had taken when it went away stays taken.
            if not stored:
                return "451 4.3.0 the mailbox cannot be reached"
        return "250 2.0.0 taken"


def authenticate(server, session, envelope, mechanism, data):
    name, _, domain = data.login.decode().partition("@")
    good = domain == DOMAIN and PEOPLE.get(name) == data.password.decode()
    return AuthResult(success=good, handled=good, auth_data=name)


context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
context.load_cert_chain(cert, key)
handler = Handler()
controller = Controller(handler, hostname="127.0.0.1", port=smtp, authenticator=authenticate, auth_required=True, auth_require_tls=False, tls_context=context)
dovecot = Dovecot()
try:
    controller.start()
    dovecot.start()
    print(json.dumps({"imap": imap, "imaps": imaps, "smtp": smtp, "lmtp": lmtp, "ca": ca, "domain": DOMAIN, "people": PEOPLE}), flush=True)
    for line in sys.stdin:
        words = line.split()
        if words == ["imap", "stop"]:
            dovecot.stop()
        elif words == ["imap", "start"]:
            dovecot.start()
        elif words[:1] == ["password"]:
            PEOPLE["bot"] = words[1]
            users()
        elif words[:1] == ["smtp"]:
            handler.mode = words[1]
        print(json.dumps({"done": line.strip()}), flush=True)
finally:
    controller.stop()
    dovecot.stop()
    shutil.rmtree(place, ignore_errors=True)
