"""Google's own client for Python judges our door in front of the emulators. `judge.py API ADMIN`; prints one line, or says what is wrong."""

import base64
import json
import sys
import urllib.request

from google.oauth2.credentials import Credentials
from googleapiclient.discovery import build
from googleapiclient.errors import HttpError

api, admin = sys.argv[1:]


def order(what, **more):
    body = json.dumps({"do": what, **more}).encode()
    with urllib.request.urlopen(urllib.request.Request(admin, data=body, method="POST")) as answer:
        return json.load(answer)


def fails(status, work):
    try:
        work()
    except HttpError as error:
        assert error.resp.status == status, f"{error.resp.status}, not {status}"
    else:
        raise AssertionError(f"it did not fail with {status}")


credentials = Credentials(order("token")["token"])
options = {"api_endpoint": api}
gmail = build("gmail", "v1", credentials=credentials, client_options=options, static_discovery=True).users()
calendar = build("calendar", "v3", credentials=credentials, client_options={"api_endpoint": f"{api}/calendar/v3/"}, static_discovery=True)

profile = gmail.getProfile(userId="me").execute()
mail = order("mail", subject="From the judge", text="Hello.", labels=["INBOX"])
history = gmail.history().list(userId="me", startHistoryId=profile["historyId"], historyTypes=["messageAdded"], labelId="INBOX").execute()
assert history["history"][0]["messagesAdded"][0]["message"]["id"] == mail["id"]
raw = base64.urlsafe_b64encode(f"To: ana@example.org\r\nSubject: Re: From the judge\r\nIn-Reply-To: <{mail['messageId']}>\r\n\r\nYes.".encode()).decode()
sent = gmail.messages().send(userId="me", body={"raw": raw, "threadId": mail["thread"]}).execute()
assert sent["threadId"] == mail["thread"] and "SENT" in sent["labelIds"]
order("forgetHistory")
fails(404, lambda: gmail.history().list(userId="me", startHistoryId=profile["historyId"]).execute())

events = calendar.events()
me = "me@gmail.example"
made = events.insert(calendarId=me, body={"summary": "Made", "start": {"date": "2027-01-15"}, "end": {"date": "2027-01-16"}}).execute()
first = events.list(calendarId=me).execute()
changed = events.patch(calendarId=me, eventId=made["id"], body={"summary": "Changed"}).execute()
assert changed["summary"] == "Changed" and changed["start"]["date"] == "2027-01-15" and changed["etag"] != made["etag"]
stale = events.patch(calendarId=me, eventId=made["id"], body={"summary": "Late"})
stale.headers["If-Match"] = made["etag"]
fails(412, stale.execute)
assert [one["summary"] for one in events.list(calendarId=me, syncToken=first["nextSyncToken"]).execute()["items"]] == ["Changed"]
events.delete(calendarId=me, eventId=made["id"]).execute()
fails(410, lambda: events.delete(calendarId=me, eventId=made["id"]).execute())
order("forgetSync")
fails(410, lambda: events.list(calendarId=me, syncToken=first["nextSyncToken"]).execute())
busy = calendar.freebusy().query(body={"timeMin": "2027-01-15T00:00:00Z", "timeMax": "2027-01-16T00:00:00Z", "items": [{"id": me}]}).execute()
assert busy["calendars"][me]["busy"] == []
print("google-api-python-client: accepted")
