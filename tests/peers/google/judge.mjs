// Google's own client for Node judges our door in front of the emulators, above all what it adds to them: the profile, cursors and
// tokens that are too old, single events, versions. `node judge.mjs API ADMIN`; prints one line and exits 0, or says what is wrong.

import assert from "node:assert/strict";
import { gmail } from "@googleapis/gmail";
import { auth as calendarAuth, calendar } from "@googleapis/calendar";

const [api, admin] = process.argv.slice(2);
const order = async (what, more = {}) => (await fetch(admin, { method: "POST", body: JSON.stringify({ do: what, ...more }) })).json();
const { token } = await order("token");
const auth = new calendarAuth.OAuth2();
auth.setCredentials({ access_token: token });
const mail = gmail({ version: "v1", auth, rootUrl: `${api}/`, retry: false });
const days = calendar({ version: "v3", auth, rootUrl: `${api}/`, retry: false });
const fails = (status, work) => assert.rejects(work, (error) => (assert.equal(error.status ?? error.response?.status ?? Number(error.code), status), true));

const { data: profile } = await mail.users.getProfile({ userId: "me" });
assert.equal(profile.emailAddress, "me@gmail.example");
const { id } = await order("mail", { subject: "From the judge", text: "Hello.", labels: ["INBOX", "Label_7"] });
const { data: history } = await mail.users.history.list({ userId: "me", startHistoryId: profile.historyId, historyTypes: ["messageAdded"], labelId: "Label_7" });
assert.equal(history.history[0].messagesAdded[0].message.id, id);
const { data: message } = await mail.users.messages.get({ userId: "me", id, format: "full" });
assert.ok(message.payload.headers.some((one) => one.name === "Authentication-Results"));
await order("forgetHistory");
await fails(404, mail.users.history.list({ userId: "me", startHistoryId: profile.historyId }));

const calendarId = "primary";
const { data: made } = await days.events.insert({ calendarId: "me@gmail.example", requestBody: { id: "judge0001", summary: "Made", start: { dateTime: "2027-01-15T14:00:00+01:00" }, end: { dateTime: "2027-01-15T15:00:00+01:00" } } });
assert.equal(made.id, "judge0001");
const { data: first } = await days.events.list({ calendarId: "me@gmail.example" });
assert.ok(first.nextSyncToken);
const { data: changed } = await days.events.patch({ calendarId: "me@gmail.example", eventId: made.id, requestBody: { summary: "Changed" } }, { headers: { "If-Match": made.etag } });
assert.deepEqual([changed.summary, changed.id, changed.start.dateTime], ["Changed", made.id, made.start.dateTime]);
await fails(412, days.events.patch({ calendarId: "me@gmail.example", eventId: made.id, requestBody: { summary: "Late" } }, { headers: { "If-Match": made.etag } }));
const { data: changes } = await days.events.list({ calendarId: "me@gmail.example", syncToken: first.nextSyncToken });
assert.deepEqual(changes.items.map((one) => [one.id, one.summary]), [[made.id, "Changed"]]);
await days.events.delete({ calendarId: "me@gmail.example", eventId: made.id });
const { data: gone } = await days.events.list({ calendarId: "me@gmail.example", syncToken: changes.nextSyncToken });
assert.deepEqual(gone.items.map((one) => [one.id, one.status]), [[made.id, "cancelled"]]);
await order("forgetSync");
await fails(410, days.events.list({ calendarId: "me@gmail.example", syncToken: gone.nextSyncToken }));
await fails(400, days.events.list({ calendarId: "me@gmail.example", syncToken: first.nextSyncToken, q: "x" }));
const { data: list } = await days.calendarList.list();
assert.ok(list.items.some((one) => one.primary) && calendarId);
await order("expire");
await fails(401, mail.users.getProfile({ userId: "me" }));
console.log("googleapis for Node: accepted");
