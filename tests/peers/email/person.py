"""A person's mail program: Python's own smtplib, imaplib and email.

    person.py PORTS write  NAME FROM TO THREADS   messages FROM..TO, spread over so many threads, answering the last one heard of
    person.py PORTS send   NAME FILE              one message as it stands in a file
    person.py PORTS read   NAME                   everything in the mailbox, as JSON lines
    person.py PORTS seen   NAME                   how many messages there are unread

PORTS is what start.py printed.
"""

import email
import email.policy
import imaplib
import json
import smtplib
import sys
import time
from email.message import EmailMessage

told = json.loads(sys.argv[1])
what, name = sys.argv[2], sys.argv[3]
domain = told["domain"]


def submission():
    client = smtplib.SMTP("127.0.0.1", told["smtp"])
    client.login(f"{name}@{domain}", told["people"][name])
    return client


def mailbox():
    client = imaplib.IMAP4("127.0.0.1", told["imap"])
    client.login(f"{name}@{domain}", told["people"][name])
    client.select("INBOX", readonly=True)
    return client


if what == "write":
    first, last, threads = (int(one) for one in sys.argv[4:7])
    client = submission()
    for n in range(first, last):
        message = EmailMessage()
        message["From"] = f"{name.title()} Tester <{name}@{domain}>"
        message["To"] = f"bot@{domain}"
        message["Message-ID"] = f"<m{n}@{domain}>"
        message["Date"] = email.utils.formatdate()
        thread = n % threads
        message["Subject"] = f"Thread {thread}" if n < threads else f"Re: Thread {thread}"
        if n >= threads:
            message["In-Reply-To"] = f"<m{n - threads}@{domain}>"
            message["References"] = f"<m{thread}@{domain}> <m{n - threads}@{domain}>"
        message.set_content(f"number {n}.\n\nOn Monday somebody wrote:\n> the history\n\n-- \n{name}\n")
        for _ in range(600):
            try:
                client.send_message(message)
                break
            except (smtplib.SMTPException, OSError):
                time.sleep(0.1)
                client = submission()
    client.quit()
elif what == "send":
    with open(sys.argv[4], "rb") as file, submission() as client:
        client.sendmail(f"{name}@{domain}", [f"bot@{domain}"], file.read())
elif what == "seen":
    print(json.dumps({"unread": len(mailbox().search(None, "UNSEEN")[1][0].split())}))
else:
    client = mailbox()
    numbers = client.search(None, "ALL")[1][0].split()
    if numbers:
        for part in client.fetch(b",".join(numbers), "(BODY.PEEK[])")[1]:
            if not isinstance(part, tuple):
                continue
            message = email.message_from_bytes(part[1], policy=email.policy.default)
            text, html = message.get_body(("plain",)), message.get_body(("html",))
            print(json.dumps({
                "from": message["From"], "to": message["To"], "subject": message["Subject"], "id": message["Message-ID"],
                "inReplyTo": message["In-Reply-To"], "references": (message["References"] or "").split(), "auto": message["Auto-Submitted"],
                "defects": [str(one) for one in message.defects], "text": text and text.get_content(), "html": html and html.get_content(),
                "files": [[one.get_filename(), one.get_content_type(), len(one.get_payload(decode=True))] for one in message.iter_attachments()],
            }))
