/**  `account.add`. */
export type AccountAdd = {
    /**  Channel, as its plugin registered it. */
    channel: ChannelId;
    /**  Short name of the account, `[a-z0-9-]{1,24}`; stands behind `@` in its ids. */
    name: string;
    /**  Workspace its conversations go to, unless a binding says otherwise; the active one when absent. */
    workspace: WorkspaceId | null;
};
/**  An account of a channel (bot, team), made by the channel plugin.  */
export type AccountId = string;
/**  How the agent is in the sessions of a binding. An absent field is the workspace's. */
export type AgentProfile = {
    /**  Name, unique in the table, `[a-z0-9-]{1,64}`. */
    id?: string;
    /**  Name to show. */
    name?: string | null;
    /**  Provider id. */
    model?: string | null;
    /**  Permission mode of new sessions; `safe` when absent. */
    mode?: PermissionMode | null;
    /**  Tools it has, by name or with one `*` at the end (`send_*`); all when absent. */
    tools?: string[] | null;
    /**  Tools it does not have; wins over `tools`. */
    withoutTools?: string[];
    /**  Added to the system prompt, at most 16 KiB. */
    systemPrompt?: string | null;
};
/**  A rule that a person made by answering “always”. */
export type AlwaysRule = {
    /**  Tool. */
    tool: string;
    /**  For `bash`: the words a command must begin with, compared word by word. Empty for other tools. */
    prefix?: string[];
    /**  For tools on files: the folder it is for, without links. Absent for other tools. */
    folder?: string | null;
};
/**  A call that waits for a person. */
export type Approval = {
    /**  Short code for answering it in a channel or on a command line, 6 letters and digits. */
    code: string;
    /**  Session. */
    session: SessionId;
    /**  Title of the session. */
    sessionName: string | null;
    /**  Turn. */
    turn: TurnId;
    /**  The call as it would run. */
    call: ToolCall;
    /**  Who asks for it and why. */
    reason: string;
    /**  What “always” would allow from now on; absent where it cannot be said exactly. */
    always: AlwaysRule | null;
    /**  Channel the question came from. */
    channel: ChannelId | null;
    /**  When it was asked. */
    requestedAt: Ms;
    /**  When it counts as refused. */
    expiresAt: Ms;
};
/**  `approval.answer`: by code, from wherever. */
export type ApprovalAnswer = {
    /**  Code. */
    code: string;
    /**  Answer. */
    decision: ApprovalDecision;
};
/**  A person's answer to a tool call that waits. */
export type ApprovalDecision = 
/**  This once. */
"once" | 
/**  What the approval's rule says, for the rest of the session; counts as `once` where there is no rule. */
"session" | 
/**  What the approval's rule says, in this workspace from now on; counts as `once` where there is no rule. */
"always" | 
/**  No. */
"deny";
/**  `approval.list`. */
export type ApprovalList = {
    /**  Only this session. */
    session: SessionId | null;
};
/**  What was answered last. */
export type ApprovalOutcome = {
    /**  Session. */
    session: SessionId;
    /**  Call. */
    callId: CallId;
    /**  The one answer that counts; somebody else's where they were first. */
    decision: ApprovalDecision;
    /**  Whether this very answer was the one. */
    first: boolean;
};
/**  A file of a message in a transcript. It lies in the session's `attachments/`. */
export type Attachment = {
    /**  Its name within the session; what `session.attachment` takes. */
    id: string;
    /**  Kind. */
    kind: MediaKind;
    /**  File name to show. */
    name: string;
    /**  Media type. */
    mime: string;
    /**  Length; 0 when it is not there. */
    bytes: Count;
    /**  Why it is not there, for a person; absent when it is. */
    missing: string | null;
};
/**  A file for a client. */
export type AttachmentData = {
    /**  File name. */
    name: string;
    /**  Media type. */
    mime: string;
    /**  Bytes as base64. */
    data: string;
};
/**  Something that waits for the person. */
export type Attention = {
    /**  Stable while it waits: its kind and what it is about. */
    id: string;
    /**  What it is: `approval`, `elicitation`, `pairing`, `source`, `plugin`, `letter`, `update`, `crash`, `notice`. */
    kind: string;
    /**  One line. */
    title: string;
    /**  A second one. */
    detail: string | null;
    /**  Since when. */
    since: Ms;
    /**  Session it is in. */
    session: SessionId | null;
    /**  Source it is about. */
    source: SourceId | null;
    /**  Where in the window it is dealt with (`/approvals`, `/sources/…`). */
    route: string;
    /**  Answers that can be given at once; empty where the person has to look first. */
    actions: AttentionAction[];
};
/**  An answer that needs no further look. */
export type AttentionAction = {
    /**  `once`, `deny`, `approve`, `retry`. */
    id: string;
    /**  Words on the button. */
    label: string;
};
/**  `attention.answer` */
export type AttentionAnswer = {
    /**  What waits. */
    id: string;
    /**  One of its actions. */
    action: string;
};
/**  How the program starts and who brings it back. */
export type Background = {
    /**  It starts when the person logs in. */
    atLogin: boolean;
    /**  It is started again after it crashed. */
    restarts: boolean;
    /**  By whom: `systemd`, `launchd`, `autostart`, `registry`; absent where nothing on this machine can. */
    by: string | null;
    /**  File or registry key that says so. */
    entry: string | null;
    /**  What is started: `app` (hidden, with its tray) or `serve` (without a screen). */
    starts: string | null;
    /**  Why it cannot be changed here, in one sentence. */
    reason: string | null;
};
/**  `system.background_set` */
export type BackgroundSet = {
    /**  Start at login, and again after a crash. */
    atLogin: boolean;
};
/**  A copy of the home folder. */
export type Backup = {
    /**  File. */
    path: string;
    /**  Size, bytes. */
    bytes: Count;
    /**  When. */
    at: Ms;
    /**  Why it was made: `asked`, `first-open`, `import`, `update`. */
    why: string;
};
/**  One rule. The most particular one that takes a message decides; see `kata_core::router` for the order. */
export type Binding = {
    /**  Name, unique in the table, `[a-z0-9-]{1,64}`. */
    id: string;
    /**  What it takes. */
    match?: BindingMatch;
    /**  Workspace of new sessions; the default one when absent. */
    workspace?: WorkspaceId | null;
    /**  Agent profile; the default one when absent. */
    profile?: string | null;
    /**  What shares a session. */
    scope?: SessionScope;
    /**  Messages that come while the agent works. */
    overlap?: Overlap;
};
/**  What a message must be for a binding to take it; an absent field takes anything. Ids are compared as the channel made them. */
export type BindingMatch = {
    /**  Channel. Required where `account`, `conversation`, `thread` or `sender` is set: an id means nothing without its channel. */
    channel?: ChannelId | null;
    /**  Account of the channel. */
    account?: AccountId | null;
    /**  Kind of conversation. */
    chatType?: ChatType | null;
    /**  Conversation, with all its threads unless one has a binding of its own. */
    conversation?: ConversationId | null;
    /**  Thread in `conversation`. */
    thread?: ThreadId | null;
    /**  Sender, in whatever conversation. */
    sender?: SenderId | null;
    /**  Known person, over all channels; excludes `sender`. */
    person?: string | null;
};
/**  One tool call, as the model named it.  */
export type CallId = string;
/**  One capability. */
export type CapabilityState = {
    /**  As the manifest writes it, e.g. `net:api.telegram.org`. */
    capability: string;
    /**  What it allows, for a person. */
    means: string;
    /**  Whether the manifest lists it. */
    declared: boolean;
    /**  Whether the person granted it. */
    granted: boolean;
    /**  Whether it can read what people write, change what the agent does, or change files. */
    sensitive: boolean;
};
/**  What a channel can do; data, declared by the plugin at registration. */
export type ChannelCapabilities = {
    /**  Kinds of conversation it serves. */
    chatTypes?: ChatType[];
    /**  Longest text of one message, in `text_unit`. */
    textMax?: number;
    /**  What `text_max` counts. */
    textUnit?: TextUnit;
    /**  Markup of outgoing text. */
    dialect?: Dialect;
    /**  Whether a sent message can be edited. */
    edit?: boolean;
    /**  Whether threads or topics exist. */
    threads?: boolean;
    /**  How long one typing signal lasts in milliseconds; 0 = none. */
    typingTtlMs?: number;
    /**  Whether the platform drops a second send with the same key. */
    idempotentSend?: boolean;
    /**  How long a sent message can be edited, in milliseconds; absent: as long as one likes. */
    editWindowMs?: Count | null;
    /**  Whether a sent message can be removed. */
    delete?: boolean;
    /**  Whether the bot can react to a message. */
    reactions?: boolean;
    /**  Most buttons under one message; 0 = none. */
    buttons?: number;
    /**  Whether files of people can be fetched. */
    filesIn?: boolean;
    /**  Whether files can be sent. */
    filesOut?: boolean;
    /**  Longest file either way, in bytes; 0 = the host's limit. */
    fileMax?: Count;
    /**  How an answer can be shown while it is written. */
    stream?: StreamMode;
    /**  Shortest time between two previews, in milliseconds. */
    streamIntervalMs?: number;
    /**  How events are given. */
    delivery?: DeliveryMode;
    /**  Whether what was written while nobody listened is read afterwards. */
    catchUp?: boolean;
};
/**  What a channel knows of its platform; a part that the plugin does not offer is absent. */
export type ChannelDirectory = {
    /**  The bot itself. */
    me: Sender | null;
    /**  People it can write to. */
    peers: DirectoryEntry[] | null;
    /**  Groups and channels it is in. */
    groups: DirectoryEntry[] | null;
};
/**  A channel as its plugin registered it; for a further account `channel@account`.  */
export type ChannelId = string;
/**  One channel a plugin registered. */
export type ChannelInfo = {
    /**  Channel id. */
    id: string;
    /**  Name to show. */
    label: string;
    /**  What it can do. */
    capabilities: ChannelCapabilities;
};
/**  `channel.policy`. */
export type ChannelPolicy = {
    /**  Source of kind `channel`. */
    id: SourceId;
    /**  Who may write; absent keeps the present policy. */
    policy: DmPolicy | null;
    /**  Senders on the allow-list; absent keeps them. */
    allow: string[] | null;
    /**  Whether a group message must address the bot; absent keeps the present rule. */
    requireMention: boolean | null;
    /**  Senders who may answer tool calls from the channel; absent keeps them. */
    approvers: string[] | null;
    /**  Messages a minute from one sender, 1 to 10,000; absent keeps the present rule. */
    perMinuteSender: number | null;
    /**  Messages a minute in one conversation, 1 to 10,000; absent keeps the present rule. */
    perMinuteConversation: number | null;
    /**  Longest text of a message in bytes, 1 to 262,144; absent keeps the present rule. */
    maxText: number | null;
    /**  Hours in which no turn starts, at most one span; absent keeps them, an empty list takes them away. */
    quietHours: QuietHours[] | null;
    /**  Whether an answer is shown while it is written; absent keeps the present rule. */
    previews: boolean | null;
    /**  Whether a message that waits behind another one gets a reaction; absent keeps the present rule. */
    waitingMark: boolean | null;
    /**  Conversations the agent may write to although nobody has written from there; absent keeps them. */
    sendTo: string[] | null;
};
/**  Policy in force. */
export type ChannelPolicyState = {
    /**  Who may write. */
    policy: DmPolicy;
    /**  Allow-list and paired senders. */
    allow: string[];
    /**  Whether a group message must address the bot. */
    requireMention: boolean;
    /**  Senders who may answer tool calls from the channel. */
    approvers: string[];
    /**  Messages a minute from one sender. */
    perMinuteSender: number;
    /**  Messages a minute in one conversation. */
    perMinuteConversation: number;
    /**  Longest text of a message in bytes. */
    maxText: number;
    /**  Hours in which no turn starts. */
    quietHours: QuietHours | null;
    /**  Whether an answer is shown while it is written, where the channel can. */
    previews: boolean;
    /**  Whether a message that waits behind another one gets a reaction, where the channel can. */
    waitingMark: boolean;
    /**  Conversations the agent may write to although nobody has written from there. */
    sendTo: string[];
};
/**  `channel.setup`: the step to show now; with an answer, the step after it. */
export type ChannelSetup = {
    /**  Source of kind `channel`. */
    id: SourceId;
    /**  Answer to the step before: the value for its `field` or `secret`; absent only asks. */
    answer: SetupAnswer | null;
};
/**  The kind of conversation. */
export type ChatType = 
/**  Between one person and the bot. */
"direct" | 
/**  Several people. */
"group" | 
/**  A broadcast or named channel. */
"channel";
/**  One check of `doctor.run`. */
export type Check = {
    /**  Short and stable (`disk.space`). */
    id: string;
    /**  What was looked at. */
    title: string;
    /**  How it is. */
    outcome: CheckOutcome;
    /**  What was found. */
    detail: string;
    /**  What to do; a command where there is one. */
    mend: string | null;
};
/**  Outcome of a check. */
export type CheckOutcome = 
/**  All is well. */
"ok" | 
/**  It works, and could be better. */
"warning" | 
/**  Something does not work. */
"failed";
/**  Rules of one class. An absent rule does nothing. */
export type ClassRules = {
    /**  A channel conversation that was silent this long begins a new session with its next message, minutes. */
    resetAfterMinutes?: number | null;
    /**  It begins a new one after this time of day, `HH:MM` on this machine's clock. */
    resetDailyAt?: string | null;
    /**  Archived after this many days without a message. */
    archiveAfterDays?: number | null;
    /**  At most this many that are not archived; the ones silent longest are archived. */
    most?: number | null;
};
/**  Client → server. */
export type ClientFrame = 
/**  First frame. */
{
    type: "connect";
    /**  Version the client speaks. */
    version: number;
    /**  Token. Absent where the device proves itself by a signature. */
    token?: string | null;
    /**  Device that was paired with a key. */
    device?: string | null;
    /**
     *  Its ECDSA P-256 signature (SHA-256; r and s, 32 bytes each; base64url without padding) over the text
     *  `kata-connect-1`, the `nonce` of `hello` and the device, joined by line feeds.
     */
    signature?: string | null;
    /**  Name of the client, for the log. */
    client: string;
    /**  Boot nonce of the server it spoke to before, for replay. */
    boot?: string | null;
    /**  Last event it has. */
    lastSeq?: Count | null;
    /**  Topics it wants; absent = all. */
    topics?: Topic[] | null;
} | 
/**  First frame of a device that is not paired yet; the connection ends with the answer, `paired`. */
{
    type: "pair";
    /**  Version the client speaks. */
    version: number;
    /**  Code of an offer. */
    code: string;
    /**  Name of the client, for the log. */
    client: string;
    /**  Public key, ECDSA P-256, as SubjectPublicKeyInfo in base64url without padding. Without one a token is made. */
    publicKey?: string | null;
} | 
/**  Brings a plugin, for as long as the connection lasts. */
{
    type: "register";
    /**  Chosen by the client, comes back in the response. */
    id: Count;
    /**  Plugin. */
    plugin: ExternalPlugin;
} | 
/**
 *  A message from a channel that this connection brought. The response says whether it was taken in; a message may be
 *  handed in again, it counts once.
 */
{
    type: "inbound";
    /**  Chosen by the client, comes back in the response (`IngressAnswer`). */
    id: Count;
    /**  Plugin. */
    plugin: PluginId;
    /**  Its channel. */
    channel: string;
    /**  The message, as an `InboundDraft`. */
    message: Json;
} | 
/**  How a channel that this connection brought stands. */
{
    type: "report";
    /**  Plugin. */
    plugin: PluginId;
    /**  Channel. */
    channel: string;
    /**  State. */
    status: Status;
    /**  Where the platform's history was read up to; kept, and handed back with `start`. */
    cursor?: string | null;
} | 
/**  Answer to a `call`; exactly one of `result` and `error` is set. */
{
    type: "answer";
    /**  Number of the call. */
    call: Count;
    /**  Result. */
    result?: Json | null;
    /**
     *  Failure. Of a send, `details` may say `code` (a `SendErrorCode`), `retryAfterMs`, and with `certain: true` that
     *  nothing can have left.
     */
    error?: WireError | null;
} | 
/**  One operation. */
{
    type: "request";
    /**  Chosen by the client, comes back in the response. */
    id: Count;
    /**  Operation. */
    op: string;
    /**  Its parameters. */
    params?: Json;
} | 
/**  Changes the topics. */
{
    type: "subscribe";
    /**  Topics it wants. */
    topics: Topic[];
} | 
/**  Events up to this number have been taken in. */
{
    type: "ack";
    /**  Number. */
    seq: Count;
};
/**  One slash command. */
export type CommandInfo = {
    /**  Without the slash. */
    name: string;
    /**  What it does. */
    description: string;
    /**  Plugin that has it. */
    plugin: PluginId;
};
/**  `command.run`: what the command gave back. */
export type CommandOutput = {
    /**  Text to show; empty when it gave none. */
    text: string;
};
/**  `command.run`. */
export type CommandRun = {
    /**  Without the slash. */
    name: string;
    /**  Everything after the name. */
    args: string;
};
/**  What a plugin registers. */
export type Contributes = {
    /**  Tool names. */
    tools?: string[];
    /**  Hook events. */
    hooks?: HookName[];
    /**  Channel ids. */
    channels?: string[];
    /**  Service ids. */
    services?: string[];
    /**  Command names. */
    commands?: string[];
    /**  Paths below `/hooks/<plugin>/` of the gateway. */
    routes?: string[];
};
/**  A conversation (DM, group, room), made by the channel plugin.  */
export type ConversationId = string;
/**  A count that can pass 2³², but never 2⁵³ (sequence numbers, tokens, bytes). */
export type Count = number;
/**  Names a crash. */
export type CrashRef = {
    /**  Crash. */
    id: string;
};
/**  How the program ended the last time it did not end in order. */
export type CrashReport = {
    /**  File name without its ending. */
    id: string;
    /**  When. */
    at: Ms;
    /**  Version that crashed. */
    version: string;
    /**  `panic` (one task; the program went on), `crash` (the process ended), `killed` (no reason is known). */
    kind: string;
    /**  Where in our source, or which thread. */
    place: string | null;
    /**  What to paste into a report: versions, place, backtrace, the last log lines; no message text, no secrets. */
    text: string;
    /**  The person has seen it. */
    seen: boolean;
};
/**  What happens to input that comes while a turn runs. */
export type Delivery = 
/**  After the present turn. */
"queue" | 
/**  Into the present turn, between tool calls. */
"steer" | 
/**  Stops the present turn first. */
"interrupt";
/**  How the platform gives events, and what is lost when nobody listens. */
export type DeliveryMode = 
/**  Given again until acknowledged (Slack, webhooks). */
"ack_gated" | 
/**  Read from a cursor (Telegram, Matrix, IMAP). */
"cursor" | 
/**  A session that can be resumed for a while (Discord). */
"resume" | 
/**  What was missed is gone. */
"non_replay";
/**  A model found on this machine by first run. Nothing is spent until the person says so. */
export type DetectedModel = {
    /**  Where it was found, in words (`ANTHROPIC_API_KEY in the environment`, `Ollama on this machine`). */
    found: string;
    /**  Settings that would use it. */
    settings: ProviderSettings;
    /**  Environment variable that holds the key, if it was found there. */
    keyEnv: string | null;
};
/**  A device that may come in. */
export type Device = {
    /**  Device. */
    id: string;
    /**  Name. */
    name: string;
    /**  What it may do. */
    scope: Scope;
    /**  It proves itself with a key that never leaves it; otherwise with a token. */
    keyed: boolean;
    /**  Since when. */
    pairedAt: Ms;
    /**  When it last came in. */
    seenAt: Ms | null;
    /**  When it has to be paired again. */
    expiresAt: Ms | null;
    /**  It is connected now. */
    connected: boolean;
};
/**  An offer. Whoever shows the code first is the device; nobody is after ten minutes, or after a wrong code was tried five times. */
export type DeviceOffer = {
    /**  Code, in groups a person can read out. */
    code: string;
    /**  Page that takes the code by itself. The code stands behind `#`, so no server and no log ever sees it. */
    url: string;
    /**  What of this machine's network the page is reached over: `loopback`, or the name of `gateway.hosts` that was taken. */
    reach: string;
    /**  When the code ends. */
    expiresAt: Ms;
};
/**  `device.pair`: offers a place to one device. */
export type DevicePair = {
    /**  Name to show in the list, at most 64 characters. */
    name: string;
    /**  What it may do. */
    scope: Scope;
    /**  Days after which it has to be paired again, 1 to 3,650; never when absent. */
    expiresAfterDays: number | null;
};
/**  Names a device. */
export type DeviceRef = {
    /**  Device. */
    id: string;
};
/**  Markup a channel understands. The core hands Markdown over; the plugin renders it. */
export type Dialect = 
/**  No markup. */
"plain" | 
/**  Markdown. */
"markdown" | 
/**  HTML subset. */
"html" | 
/**  Slack's mrkdwn. */
"mrkdwn";
/**  A conversation the bot knows of. */
export type DirectoryEntry = {
    /**  As drafts carry it. */
    id: ConversationId;
    /**  Name to show. */
    name: string;
    /**  Kind of conversation. */
    chatType: ChatType;
};
/**  Who may write to a channel. */
export type DmPolicy = 
/**  A stranger gets a code that a person approves in the window or the CLI. */
"pairing" | 
/**  Only listed senders. */
"allow-list" | 
/**  Everybody. */
"open" | 
/**  Nobody. */
"off";
/**  A text with a name for its file. */
export type Document = {
    /**  Name of the file. */
    name: string;
    /**  Text. */
    text: string;
};
/**  A file at the platform, as a channel's draft names it. Nothing of it is fetched before its sender was let in. */
export type DraftAttachment = {
    /**  How the plugin finds it again, 1 to 4,096 bytes; given back to `messaging.download`. No token. */
    reference: string;
    /**  Kind. */
    kind?: MediaKind;
    /**  File name to show, at most 255 bytes; the host makes it safe. */
    name: string;
    /**  Media type, where the platform says it. */
    mime?: string | null;
    /**  Length, where the platform says it. */
    bytes?: Count | null;
};
/**  A folder that was looked at and not taken. */
export type DroppedPlugin = {
    /**  Folder. */
    path: string;
    /**  Kind of the extensions folder it is in. */
    origin: PluginOrigin;
    /**  Its id, where the manifest could be read. */
    id: string | null;
    /**  Why; names file and field where there is one. */
    reason: string;
    /**  What to do. */
    hint: string;
};
/**  A question a source puts to the person in the middle of a call (MCP elicitation). */
export type Elicitation = {
    /**  Question. */
    id: string;
    /**  Source that asks. */
    source: SourceId;
    /**  What it says. */
    message: string;
    /**  JSON Schema of the form; flat, as MCP has it. Absent where the person is sent to `url`. */
    schema: Json | null;
    /**  Page to open instead of a form. */
    url: string | null;
    /**  When it is given up. */
    expiresAt: Ms;
};
/**  `elicitation.answer` */
export type ElicitationAnswer = {
    /**  Question. */
    id: string;
    /**  `accept`, `decline` or `cancel`. */
    action: string;
    /**  What was filled in, with `accept`. */
    content: Json | null;
};
/**  No parameters, or nothing to say. */
export type Empty = Record<string, never>;
/**  A code exists only where a client branches on it. */
export type ErrorCode = 
/**  The parameters do not fit; `message` names the field. */
"invalid" | 
/**  Nothing by that name. */
"not_found" | 
/**  The caller lacks the scope, or the plugin lacks the capability. */
"forbidden" | 
/**  No or a wrong token. */
"unauthorized" | 
/**  Not possible in the present state; the hint says what to do first. */
"conflict" | 
/**  A queue is full or a limit is reached; try again later. */
"busy" | 
/**  A person has to do something first (add a model, approve, sign in). */
"needs_user" | 
/**  Somebody else's program (model, platform, plugin) failed. */
"upstream" | 
/**  It took longer than it may. */
"timeout" | 
/**  It was stopped on request. */
"cancelled" | 
/**  A fault of this program; it is in the log. */
"internal";
/**  What a call from here asks an external plugin for. */
export type ExternalCall = 
/**  Run a tool: `{name, params, session}` → `{text}`. */
"tool" | 
/**  Ask a hook: `{event, input}` → what the hook of that event may answer, or null. */
"hook" | 
/**  Send a message: `{channel, message}` → a receipt. */
"send" | 
/**  Begin to work as a channel: `{channel, cursor}` → null. The channel reports its state by itself. */
"start" | 
/**  Stop: `{channel}` → null. */
"stop";
/**  A channel. */
export type ExternalChannel = {
    /**  Id, unique among all channels. */
    id: string;
    /**  Name to show. */
    name: string;
    /**
     *  What it can do; absent fields are what the contract has as default. What needs more calls than `send` (editing,
     *  deleting, reactions, buttons, files, previews, typing) is refused.
     */
    capabilities?: ChannelCapabilities | null;
};
/**  The connection that brought a plugin. */
export type ExternalClient = {
    /**  Name the client gave. */
    name: string;
    /**  Name of its token or device: whoever takes that back ends it. */
    token: string;
    /**  What the token may do. */
    scope: Scope;
    /**  Since when it has been there. */
    since: Ms;
};
/**  A hook. */
export type ExternalHook = {
    /**  Event. */
    event: HookName;
    /**  Order; higher is asked first. 0 when absent. */
    priority?: number;
    /**  Longest time an answer may take, milliseconds, where that is less than the event's own limit. */
    timeoutMs?: number | null;
};
/**  What a program brings (`register`). At most 64 tools, 32 hooks and 8 channels. */
export type ExternalPlugin = {
    /**  Id, `[a-z0-9-]+`; no other plugin may have it. */
    id: PluginId;
    /**  Name to show. */
    name: string;
    /**  Version. */
    version: string;
    /**  One line. */
    description?: string;
    /**  Tools. */
    tools?: ExternalTool[];
    /**  Hooks. */
    hooks?: ExternalHook[];
    /**  Channels. */
    channels?: ExternalChannel[];
};
/**  A tool. */
export type ExternalTool = {
    /**  Name, unique among all tools. */
    name: string;
    /**  For the model. */
    description: string;
    /**  JSON Schema of its arguments. */
    parameters: Json;
    /**  It changes nothing anywhere. */
    readOnly?: boolean;
    /**  Longest time a call may take, milliseconds; 30,000 when absent, at most 600,000. */
    timeoutMs?: number | null;
};
/**  A fact. Facts are numbered by the hub; a client that reconnects gets those it missed. */
export type Fact = 
/**  A session's list row changed. */
{
    topic: "session_changed";
    /**  New row. */
    session: SessionSummary;
} | 
/**  A session is gone. */
{
    topic: "session_removed";
    /**  Session. */
    id: SessionId;
} | 
/**  A session said something. */
{
    topic: "session";
    /**  Session. */
    id: SessionId;
    /**  What. */
    event: SessionEvent;
} | 
/**  A source changed. */
{
    topic: "source_changed";
    /**  New row. */
    source: SourceSummary;
} | 
/**  A plugin changed; ask for it again. */
{
    topic: "plugin_changed";
    /**  Plugin. */
    id: PluginId;
} | 
/**  A plugin says something to clients. */
{
    topic: "plugin_event";
    /**  Plugin. */
    id: PluginId;
    /**  Name of the event, the plugin's own. */
    name: string;
    /**  Payload, at most 16 KiB. */
    payload: Json;
} | 
/**  Somebody wants in. */
{
    topic: "pairing_requested";
    /**  Request. */
    request: PairingRequest;
} | 
/**  Pairing requests or paired people changed; ask for them again. */
{
    topic: "pairing_changed";
} | 
/**  The default model changed. */
{
    topic: "model_changed";
    /**  New default. */
    model: ProviderSummary | null;
} | 
/**  A trace is complete. */
{
    topic: "trace_recorded";
    /**  Trace. */
    id: TraceId;
    /**  Session. */
    session: SessionId | null;
    /**  When it began. */
    startedAt: Ms;
} | 
/**  A tool call waits for a person, or was answered; ask for the list again. */
{
    topic: "approvals_changed";
} | 
/**  A source asks the person something, or was answered; ask for the list again. */
{
    topic: "elicitations_changed";
} | 
/**  A sign-in ended; `oauth.get` says how. */
{
    topic: "oauth_ended";
    /**  Sign-in. */
    id: string;
    /**  Source. */
    source: SourceId;
} | 
/**  The routing table or a conversation's session changed. */
{
    topic: "routes_changed";
} | 
/**  A message did not get through, or one was tried again. */
{
    topic: "letters_changed";
} | 
/**  What waits for the person changed; ask for the list again. */
{
    topic: "attention_changed";
} | 
/**  Devices or connections of the gateway changed; ask for them again. */
{
    topic: "devices_changed";
} | 
/**  An update came a step further; ask for its state. */
{
    topic: "update_changed";
} | 
/**  Settings, workspaces, statuses, labels or skills changed; ask for them again. */
{
    topic: "workspaces_changed";
} | 
/**  The line of health changed. */
{
    topic: "health_changed";
    /**  New line. */
    health: Health;
};
/**  How one file differs. */
export type FileChange = {
    /**  From the plugin's folder, with `/`. */
    path: string;
    /**  What happened to it. */
    kind: FileChangeKind;
    /**  Unified diff of a text file, at most 64 KiB; absent for others. */
    diff: string | null;
};
/**  What happened to a file. */
export type FileChangeKind = 
/**  It is new. */
"added" | 
/**  It is gone. */
"removed" | 
/**  It has other contents. */
"modified";
/**  `file.find`: files below the folder a session works in, for `@` in its composer. */
export type FileFind = {
    /**  Session. */
    session: SessionId;
    /**  Part of a path. */
    query: string;
};
/**  A file or folder. */
export type FileHit = {
    /**  Path below the folder. */
    path: string;
    /**  It is a folder. */
    folder: boolean;
};
/**  One finding of `security.audit`. */
export type Finding = {
    /**  Short and stable (`channel.open`). */
    code: string;
    /**  How bad. */
    severity: Severity;
    /**  What it is about: a channel, a plugin, a file, a device. */
    about: string;
    /**  One sentence. */
    message: string;
    /**  What to do. */
    mend: string | null;
};
/**  A gate a message passes. */
export type Gate = 
/**  Admitted or refused, and durable. */
"ingress" | 
/**  Session key and session. */
"router" | 
/**  A hook handler. */
"hook" | 
/**  Waited for its turn. */
"mailbox" | 
/**  The model. */
"model" | 
/**  A tool. */
"tool" | 
/**  Durable reply. */
"outbox" | 
/**  Delivery by the plugin. */
"send";
/**  A connection to the gateway. */
export type GatewayClient = {
    /**  Name it gave. */
    name: string;
    /**  Name of the token or device it came in with. */
    token: string;
    /**  Device, where it is one. */
    device: string | null;
    /**  What it may do. */
    scope: Scope;
    /**  Since when. */
    since: Ms;
    /**  Newest event it said it has. */
    acked: Count;
    /**  Plugins it brings. */
    plugins: string[];
};
/**  How the gateway stands. */
export type GatewayState = {
    /**  Port. */
    port: number | null;
    /**  Addresses, the one for this machine first. */
    urls: string[];
    /**  Names other than this machine's own under which it may be asked (`gateway.hosts`), for a tunnel. */
    hosts: string[];
    /**  Connections. */
    clients: GatewayClient[];
    /**  Seconds for which nobody gets in, after too many wrong tokens. */
    lockedOutFor: number | null;
};
/**  Git state of the folder a session works in. */
export type GitState = {
    /**  Branch, or the commit where none is checked out; absent where the folder is in no repository. */
    branch: string | null;
    /**  Files that differ from the last commit. */
    changed: number;
};
/**  What happened to a plugin's grant. */
export type GrantAction = 
/**  Trusted with some capabilities. */
"granted" | 
/**  One capability taken back. */
"capability_revoked" | 
/**  Trust taken back as a whole. */
"revoked" | 
/**  Taken over by the signature of a remembered key. */
"carried_over" | 
/**  Its files are no longer those that were granted. */
"changed" | 
/**  Put into an extensions folder. */
"installed" | 
/**  Taken out of it. */
"uninstalled" | 
/**  Switched on. */
"enabled" | 
/**  Switched off. */
"disabled";
/**  One line of a grant's history. */
export type GrantEvent = {
    /**  When. */
    at: Ms;
    /**  What. */
    action: GrantAction;
    /**  Hash of the files then, where it matters. */
    hash: string | null;
    /**  In words: capabilities, from where. */
    detail: string;
};
/**  Health in one line. */
export type Health = {
    /**  Sources that run. */
    running: number;
    /**  Sources that wait for a person. */
    needsUser: number;
    /**  Sources that failed, back off or are quarantined. */
    failing: number;
    /**  Sessions in the middle of a turn. */
    busySessions: number;
    /**  Things that wait for the person, of every kind. */
    waiting: number;
    /**  All channels are paused. */
    paused: boolean;
    /**  `3 channels running · 1 needs you`. */
    line: string;
};
/**  One event with its handlers. */
export type HookEvent = {
    /**  Event. */
    event: HookName;
    /**  `observe`, `transform` or `gate`. */
    kind: string;
    /**  Rule of merging and failure, in a sentence. */
    rule: string;
    /**  Handlers in the order they run; for `observe` all at once. */
    handlers: HookSlot[];
};
/**  How handlers of an event are run and what their answer may do. */
export type HookKind = 
/**  Concurrent, answer ignored, 30 s, fails open. */
"observe" | 
/**  In order, each sees the previous answer, 15 s, fails open. */
"transform" | 
/**  In order, block is terminal, 15 s, fails closed. */
"gate";
/**  The events a plugin can hook. */
export type HookName = 
/**  Transform: rewrite or block an admitted message. */
"message_received" | 
/**  Transform: add context, narrow tools, choose the model. */
"before_agent_start" | 
/**  Gate: rewrite parameters, block, or ask the person. Fails closed. */
"before_tool_call" | 
/**  Transform: rewrite a tool's result. */
"after_tool_call" | 
/**  Transform: rewrite or cancel a reply. */
"message_sending" | 
/**  Observe: a reply was delivered. */
"message_sent" | 
/**  Observe: a session got its first turn in this process. */
"session_start" | 
/**  Observe: a turn ended. */
"agent_end" | 
/**  Observe: a session was closed: archived, reset, or let go at shutdown. */
"session_end" | 
/**  Observe: the engine is ready. */
"gateway_start" | 
/**  Observe: the engine is about to drain. */
"gateway_stop" | 
/**  Observe: the agent handed in a plan. */
"plan_submitted" | 
/**  Observe: somebody is asked to sign in to a provider. */
"oauth_open" | 
/**  Observe: settings changed. */
"config_change";
/**  One handler at its place. */
export type HookSlot = {
    /**  Plugin. */
    plugin: PluginId;
    /**  Where it was found. */
    origin: PluginOrigin;
    /**  Priority it asked for. */
    priority: number;
    /**  Milliseconds it may take. */
    timeoutMs: number;
    /**  Why it stands here and not before its neighbour above, in a sentence. */
    why: string;
    /**  Calls, failures and timeouts since the start. */
    calls: number;
    /**  Failures and timeouts. */
    failures: number;
};
/**  What tidying up does to a session. */
export type HygieneAction = 
/**  Out of the list, kept. */
"archive" | 
/**  Its folder is deleted. */
"delete";
/**  `hygiene.preview` and `hygiene.run`. */
export type HygienePlan = {
    /**  Steps, at most 1,000 at a time. */
    steps: HygieneStep[];
    /**  Sessions looked at. */
    lookedAt: number;
};
/**  `hygiene.preview`, with rules that are not in force yet where some are given. */
export type HygienePreview = {
    /**  Rules; the present ones when absent. */
    rules: HygieneRules | null;
};
/**  Rules of every class. Flagged sessions and those at work are left alone. */
export type HygieneRules = {
    /**  Sessions of the window and of clients. */
    desktop?: ClassRules;
    /**  Direct conversations. */
    direct?: ClassRules;
    /**  Groups. */
    group?: ClassRules;
    /**  Threads. */
    thread?: ClassRules;
    /**  Archived sessions are deleted after this many days; never when absent. */
    deleteArchivedAfterDays?: number | null;
};
/**  What would happen to one session. */
export type HygieneStep = {
    /**  Session. */
    session: SessionSummary;
    /**  Class. */
    class: SessionClass;
    /**  What. */
    action: HygieneAction;
    /**  By which rule, in a sentence. */
    reason: string;
};
/**  Something another program left. Nothing of it is ever changed. */
export type ImportCandidate = {
    /**  `openclaw` or `kata-electron`. */
    from: string;
    /**  Folder or file. */
    path: string;
    /**  Name to show. */
    title: string;
    /**  What can be taken over, and what cannot. */
    items: ImportItem[];
};
/**  `import.find` */
export type ImportFind = {
    /**  Folder to look into; the usual places when absent. */
    path: string | null;
};
/**  One thing. */
export type ImportItem = {
    /**  Stable (`channel:telegram`). */
    id: string;
    /**  Name to show. */
    label: string;
    /**  What would be done, in one line; never a secret. */
    detail: string;
    /**  It can be taken over. */
    importable: boolean;
    /**  Why not, or what the person has to do afterwards. */
    reason: string | null;
};
/**  What was done. */
export type ImportReport = {
    /**  Taken over. */
    done: ImportItem[];
    /**  Not taken over, each with its reason. */
    left: ImportItem[];
    /**  Copy of our own settings from before, where there were any. */
    backup: string | null;
};
/**  `import.run` */
export type ImportRun = {
    /**  Candidate's `from`. */
    from: string;
    /**  Candidate's `path`. */
    path: string;
    /**  Items to take over. */
    items: string[];
};
/**  One inbound message as a channel plugin hands it in (untrusted until ingress has admitted it). */
export type InboundDraft = {
    /**  Which account of the channel received it. */
    account: AccountId;
    /**  The platform's id of the message; a second draft with the same id is dropped as a duplicate. */
    messageId: PlatformMessageId;
    /**  Where it was written, and where the reply goes. */
    conversation: ConversationId;
    /**  Name of the conversation to show. */
    conversationName?: string | null;
    /**  Kind of conversation. */
    chatType: ChatType;
    /**  Thread or topic, if any. */
    thread?: ThreadId | null;
    /**  Who wrote. */
    sender: Sender;
    /**  Plain text, at most 256 KiB. */
    text: string;
    /**  Message this one answers. */
    replyTo?: PlatformMessageId | null;
    /**  Whether the bot was addressed (mention, reply to it, command). */
    mentionsBot?: boolean;
    /**  When the platform says it was written. */
    sentAt?: Ms | null;
    /**  Files, at most 10. With files the text may be empty. */
    attachments?: DraftAttachment[];
};
/**  Answer of `index.rebuild`. */
export type IndexRebuilt = {
    /**  Sessions found on disk. */
    sessions: number;
    /**  Session keys found in their headers. */
    keys: number;
};
/**  What ingress answers the plugin. Only after this may the platform be acknowledged. */
export type IngressAnswer = 
/**  Durable; a reply may follow. */
{
    outcome: "admitted";
} | 
/**  Seen before; nothing more happens. */
{
    outcome: "duplicate";
} | 
/**  Refused; kept in the ledger with its reason. What the sender is told (a pairing code) goes through the outbox. */
{
    outcome: "refused";
    /**  Why. */
    code: RefusalCode;
};
/**  Any JSON value. TypeScript sees `unknown`, so a reader must check before use. */
export type Json = unknown;
/**  A label a session can carry. */
export type Label = {
    /**  Label. */
    id: string;
    /**  Name to show. */
    name: string;
    /**  Depth in the tree, from 0. */
    depth: number;
    /**  Colour as in the file. */
    color: Json | null;
    /**  `string`, `number` or `date` where it takes a value. */
    valueType: string | null;
};
/**  Where every accepted message is. `accepted = delivered + refused + dead + pending` always holds. */
export type Ledger = {
    /**  Taken in from channels. */
    accepted: Count;
    /**  Answered, and the answer is with the platform (or the agent had nothing to say). */
    delivered: Count;
    /**  Refused by policy or a hook. */
    refused: Count;
    /**  Given up, visible with reason. */
    dead: Count;
    /**  On the way, parked ones included. */
    pending: Count;
};
/**  A message that did not get through. A person decides. */
export type Letter = {
    /**  Name, `in-7` or `out-7`. */
    id: string;
    /**  Why it lies here. */
    state: LetterState;
    /**  Channel. */
    channel: ChannelId;
    /**  Conversation to show: its name or its id. */
    conversation: string;
    /**  Session. */
    session: SessionId | null;
    /**  First 500 characters. */
    preview: string;
    /**  What went wrong last. */
    error: string | null;
    /**  Sends that were tried. */
    attempts: number;
    /**  When it came in or was written. */
    at: Ms;
};
/**  Names a letter. */
export type LetterRef = {
    /**  Name. */
    id: string;
};
/**  Why a letter lies here. */
export type LetterState = 
/**  A message came in and was given up. */
"inbound_dead" | 
/**  A reply was given up. */
"outbound_dead" | 
/**  Nobody knows whether the reply left, and the platform cannot tell. */
"outbound_parked";
/**  One log line. */
export type LogRecord = {
    /**  When. */
    at: Ms;
    /**  `ERROR`, `WARN`, `INFO`, `DEBUG`, `TRACE`. */
    level: string;
    /**  Module. */
    target: string;
    /**  Plugin, where one wrote it. */
    plugin: string | null;
    /**  Text; no message text, no secrets. */
    message: string;
};
/**  `log.tail`. */
export type LogTail = {
    /**  At most this many, newest last; 200 when absent, 2000 at most. */
    limit: number | null;
    /**  Lowest level: `error`, `warn`, `info`, `debug`. */
    level: string | null;
    /**  Only this plugin. */
    plugin: PluginId | null;
};
/**  What kind of file it is; platforms show kinds differently. */
export type MediaKind = 
/**  A picture. */
"image" | 
/**  Sound to listen to. */
"audio" | 
/**  A voice message. */
"voice" | 
/**  A film. */
"video" | 
/**  Anything else. */
"file";
/**  One transcript row as clients see it. */
export type Message = {
    /**  Row. */
    id: MessageId;
    /**  Kind. */
    kind: MessageKind;
    /**  Text; for tools empty. */
    content: string;
    /**  When. */
    timestamp: Ms | null;
    /**  The turn it belongs to. */
    turnId: string | null;
    /**  Text between tool calls, not the answer. */
    intermediate: boolean;
    /**  Who wrote, in a channel session. */
    sender: string | null;
    /**  Set on `tool` rows. */
    tool: ToolCall | null;
    /**  Thinking text, where the model shows it. */
    thinking: string | null;
    /**  Files that came with it or were sent with it. */
    attachments?: Attachment[];
};
/**  One message in a transcript.  */
export type MessageId = string;
/**  Kind of a transcript row. Names as in `session.jsonl`. */
export type MessageKind = 
/**  A person. */
"user" | 
/**  The agent. */
"assistant" | 
/**  A tool call with its result. */
"tool" | 
/**  A failure that ended a turn. */
"error" | 
/**  A note to the person. */
"info" | 
/**  A warning to the person. */
"warning" | 
/**  A plan to accept. */
"plan" | 
/**  A request to sign in. */
"auth-request" | 
/**  A passing state; never stored. */
"status";
/**  Names a provider. */
export type ModelRef = {
    /**  Provider. */
    id: string;
};
/**  `model.set`. */
export type ModelSet = {
    /**  Settings; replaces a provider of the same id. */
    settings: ProviderSettings;
    /**  Key; kept in the secret store. Absent keeps the present one. */
    apiKey: string | null;
    /**  Takes the key from this environment variable at each start instead. */
    keyEnv: string | null;
    /**  Whether new sessions use it. */
    default: boolean;
};
/**  Milliseconds since the Unix epoch (safe in a JavaScript number until the year 287396). */
export type Ms = number;
/**  Something the person should know. Shown until dismissed. */
export type Notice = {
    /**  Stable within a run. */
    id: string;
    /**  When. */
    at: Ms;
    /**  What happened. */
    message: string;
    /**  What to do. */
    hint: string | null;
};
/**  `notice.dismiss`. */
export type NoticeDismiss = {
    /**  Notice. */
    id: string;
};
/**  A numbered fact. */
export type NumberedFact = {
    /**  Number, from 1, without gaps within one boot. */
    seq: Count;
    /**  Fact. */
    fact: Fact;
};
/**  An account somebody signed in with. */
export type OauthAccount = {
    /**  Source it serves. */
    source: SourceId;
    /**  Provider's id. */
    provider: string;
    /**  Name of the account where the provider says one. */
    account: string | null;
    /**  Scopes that were given. */
    scopes: string[];
    /**  When the present token ends; it is renewed before. */
    expiresAt: Ms | null;
    /**  How it stands. */
    status: Status;
};
/**  `oauth.begin` */
export type OauthBegin = {
    /**  Source that needs the account. */
    source: SourceId;
    /**  How; default in the browser. */
    method: OauthMethod | null;
    /**  Whether the engine opens the browser of its own machine; default yes. A client elsewhere opens `url` itself. */
    open: boolean | null;
};
/**  `oauth.configure`: adds a provider, or changes one. A field of a preset that is absent keeps the preset's value. */
export type OauthConfigure = {
    /**  Short name: lower-case letters, digits, `-`. */
    id: string;
    /**  Name to show. */
    name: string | null;
    /**  Where the browser goes; `https:` or loopback. */
    authorizationUrl: string | null;
    /**  Where codes become tokens. */
    tokenUrl: string | null;
    /**  Where a device code comes from. */
    deviceUrl: string | null;
    /**  Where a token is given back. */
    revocationUrl: string | null;
    /**  Where the account's name is asked for. */
    userinfoUrl: string | null;
    /**  Further parameters for the browser's address. */
    parameters: {
        [key in string]: string;
    } | null;
    /**  The app's id at the provider. */
    clientId: string | null;
    /**  The app's secret; empty removes it. */
    clientSecret: string | null;
};
/**  How a person signs in. */
export type OauthMethod = 
/**  In the browser of this machine, which leads back to a loopback address (RFC 8252, with PKCE). */
"browser" | 
/**  On any device, with a short code (RFC 8628). */
"device";
/**  How a sign-in stands. */
export type OauthProgress = 
/**  The person has not finished. */
{
    kind: "waiting";
} | 
/**  Signed in; what needs it is being started. */
{
    kind: "done";
    /**  Name of the account where the provider says one, such as an address. */
    account: string | null;
} | 
/**  It ended without an account. */
{
    kind: "failed";
    /**  Short and stable: `denied`, `expired`, `state`, `scope`, `unreachable`, `refused`, `cancelled`. */
    code: string;
    /**  One sentence for a person. */
    message: string;
};
/**  A provider people sign in at. Presets come with the app; a person may change them or add others. */
export type OauthProvider = {
    /**  Short name, as capabilities have it: `oauth:ID:SCOPES`. */
    id: string;
    /**  Name to show. */
    name: string;
    /**  Where the browser goes. */
    authorizationUrl: string;
    /**  Where codes become tokens. */
    tokenUrl: string;
    /**  Where a device code comes from; absent where the provider has none. */
    deviceUrl: string | null;
    /**  Where a token is given back; absent where the provider has none. */
    revocationUrl: string | null;
    /**  Where the account's name is asked for (OpenID Connect userinfo); absent where there is none. */
    userinfoUrl: string | null;
    /**  Further parameters for the browser's address, such as `access_type`. */
    parameters: {
        [key in string]: string;
    };
    /**  The app's id at the provider; absent until the person brings one. */
    clientId: string | null;
    /**  Whether a client secret is stored. It never leaves the engine. */
    clientSecretSet: boolean;
    /**  Whether it comes with the app. */
    preset: boolean;
};
/**  `oauth.remove`: forgets a provider of the person's own, or brings a preset back to what came with the app. */
export type OauthProviderRef = {
    /**  Provider. */
    id: string;
};
/**  A sign-in on its way. It is kept for ten minutes after it ended. */
export type OauthSignIn = {
    /**  Sign-in. */
    id: string;
    /**  Source that needs the account. */
    source: SourceId;
    /**  Provider's name. */
    provider: string;
    /**  Scopes that are asked for. */
    scopes: string[];
    /**  How. */
    method: OauthMethod;
    /**  Where the person goes. */
    url: string;
    /**  What the person types there, for a device. */
    userCode: string | null;
    /**  When it is over. */
    expiresAt: Ms;
    /**  How it stands. */
    progress: OauthProgress;
};
/**  `oauth.get`, `oauth.cancel` */
export type OauthSignInRef = {
    /**  Sign-in. */
    id: string;
};
/**  Overlap rule of a binding. */
export type Overlap = {
    /**  What happens. */
    policy?: OverlapPolicy;
    /**  Pause of `collect` in milliseconds, 100 to 60,000. */
    collectMs?: number;
    /**  Messages that may wait in one session, 1 to 1,000. */
    most?: number;
    /**  What happens beyond that. */
    whenFull?: WhenFull;
};
/**  What happens to a channel's message that comes while the agent works in its session. Approvals and commands pass by. */
export type OverlapPolicy = 
/**  After the present turn, each in a turn of its own. */
"queue" | 
/**  Into the present turn, between tool calls. */
"steer" | 
/**  Those that come within the pause are one input, also while nothing runs. */
"collect" | 
/**  Stops the present turn first. */
"interrupt" | 
/**  Not taken; kept in the ledger as refused. */
"drop";
/**  Names a pairing request. */
export type PairingRef = {
    /**  Code as shown. */
    code: string;
};
/**  A person who wrote to a channel and waits for approval. */
export type PairingRequest = {
    /**  Eight characters; the sender was told the same. */
    code: string;
    /**  Channel. */
    channel: ChannelId;
    /**  The platform's id of the person. */
    sender: SenderId;
    /**  Name to show. */
    senderName: string | null;
    /**  When they wrote. */
    requestedAt: Ms;
    /**  When the code ends. */
    expiresAt: Ms;
};
/**  How channels are paused. */
export type PauseState = {
    /**  All channels are paused. */
    paused: boolean;
    /**  When they go on by themselves. */
    until: Ms | null;
};
/**  `permission.explain`: how a call would be judged. Nothing runs. */
export type PermissionExplain = {
    /**  Session whose mode and folder count. */
    session: SessionId | null;
    /**  Workspace, where no session is named; the default one when absent. */
    workspace: WorkspaceId | null;
    /**  Mode; the session's or the workspace's when absent. */
    mode: PermissionMode | null;
    /**  Tool. */
    tool: string;
    /**  Arguments. */
    params: Json;
};
/**  How a call is judged and why. */
export type PermissionExplanation = {
    /**  Outcome. */
    outcome: PermissionOutcome;
    /**  Why, in a sentence. */
    reason: string;
    /**  Arguments with paths made plain. */
    params: Json;
    /**  What “always” would allow. */
    always: AlwaysRule | null;
};
/**  `permission.forget`. */
export type PermissionForget = {
    /**  Workspace; the default one when absent. */
    workspace: WorkspaceId | null;
    /**  The rule. */
    rule: AlwaysRule;
};
/**  Names a workspace's permissions. */
export type PermissionList = {
    /**  Workspace; the default one when absent. */
    workspace: WorkspaceId | null;
};
/**  What the agent may do without asking. */
export type PermissionMode = 
/**  Only tools that read. */
"safe" | 
/**  Asks before anything else. */
"ask" | 
/**  Never asks. */
"allow-all";
/**  How a call is judged. */
export type PermissionOutcome = 
/**  Runs. */
"allow" | 
/**  A person is asked. */
"ask" | 
/**  Does not run; the model is told why. */
"deny";
/**  A rule in force. */
export type PermissionRule = {
    /**  The rule, as one line. */
    text: string;
    /**  File it stands in, or `always` for a person's answer. */
    from: string;
    /**  What it is about: `bash`, `mcp`, `api`, `write`, `tool`, `blocked`. */
    about: string;
    /**  Set for rules that can be taken back here. */
    always: AlwaysRule | null;
    /**  Set where the rule cannot be used: what is wrong with it. */
    problem: string | null;
};
/**  What a workspace's sessions may do. */
export type PermissionState = {
    /**  Workspace. */
    workspace: WorkspaceId;
    /**  Mode of new sessions. */
    mode: PermissionMode;
    /**  Rules, in the order they are looked at. */
    rules: PermissionRule[];
    /**  How commands are shut in on this machine: `bubblewrap`, `landlock`, `sandbox-exec`, or why they are not. */
    sandbox: string;
};
/**  A person known under several addresses. */
export type Person = {
    /**  Name, unique in the table, `[a-z0-9-]{1,64}`. */
    id: string;
    /**  Name to show. */
    name?: string | null;
    /**  Addresses; one stands with one person only. */
    addresses: PersonAddress[];
};
/**  One of a person's addresses. */
export type PersonAddress = {
    /**  Channel. */
    channel: ChannelId;
    /**  Account; any when absent. */
    account?: AccountId | null;
    /**  Sender. */
    sender: SenderId;
};
/**  A platform's own name for a message, made by the channel plugin.  */
export type PlatformMessageId = string;
/**  Limits in force for a plugin. */
export type PluginCeilings = {
    /**  JavaScript heap in bytes. */
    memoryBytes: Count;
    /**  CPU milliseconds per minute. */
    cpuMsPerMinute: number;
    /**  Live timers. */
    timers: number;
    /**  Host calls in flight. */
    callsInFlight: number;
    /**  Open WebSockets. */
    sockets: number;
    /**  Calls that may wait. */
    queue: number;
    /**  Log lines per minute. */
    logLinesPerMinute: number;
};
/**  How a plugin differs from what was granted. */
export type PluginChange = {
    /**  Version then. */
    fromVersion: string;
    /**  Version now. */
    toVersion: string;
    /**  Files that are new, gone, or have other contents. */
    files: FileChange[];
    /**  Capabilities it asks for now and did not then. */
    capabilitiesAdded: string[];
    /**  Capabilities it asked for then and does not now. */
    capabilitiesRemoved: string[];
};
/**  `plugin.configure`. */
export type PluginConfigure = {
    /**  Plugin. */
    id: PluginId;
    /**  Settings; checked against the plugin's schema, an error names the field. */
    settings: Json;
};
/**  `plugin.create`. */
export type PluginCreate = {
    /**  Plugin, `[a-z0-9-]+`. */
    id: PluginId;
    /**  What it starts as. */
    template: PluginTemplate;
    /**  Name to show; made from the id when absent. */
    name: string | null;
};
/**  `plugin.get`. */
export type PluginDetail = {
    /**  Row. */
    summary: PluginSummary;
    /**  Its files in order of path, at most 5,000; `node_modules` and `.git` are neither listed nor hashed. */
    files: PluginFile[];
    /**  SHA-256 over paths and contents of `files`, lower-case hexadecimal. A grant pins it. */
    hash: string;
    /**  Every capability it declares or was granted. */
    wanted: CapabilityState[];
    /**  What was granted; absent for a bundled plugin and one nobody has looked at. */
    grant: PluginGrant | null;
    /**  How files and wishes differ from what was granted; absent when they do not. */
    change: PluginChange | null;
    /**  Its signature. */
    signature: PluginSignature;
    /**  JSON Schema of its settings. */
    settingsSchema: Json | null;
    /**  Present settings. */
    settings: Json;
    /**  Names of its secrets and whether each is set. */
    secrets: SecretState[];
    /**  What the serving generation registered; empty when it does not run. */
    registered: Registered;
    /**  Limits in force. */
    limits: PluginCeilings;
    /**  Its channels and services. */
    parts: SourceSummary[];
    /**  What happened to its grant, newest first, at most 100. */
    history: GrantEvent[];
};
/**  `plugin.discovery`. */
export type PluginDiscovery = {
    /**  Folders that are looked through, in order of precedence. */
    roots: PluginRoot[];
    /**  Folders that look like a plugin and are not taken. */
    dropped: DroppedPlugin[];
};
/**  `plugin.enable`. */
export type PluginEnable = {
    /**  Plugin. */
    id: PluginId;
    /**  On or off. */
    enabled: boolean;
};
/**  One thing a plugin did wrong. */
export type PluginFault = {
    /**  When. */
    at: Ms;
    /**  Short reason: `throw`, `timeout`, `memory`, `stack`, `cpu`, `unhandled_rejection`, `bad_result`, `load`. */
    kind: string;
    /**  Message, with the position where there is one. */
    message: string;
    /**  Where in the author's source. */
    position: SourcePosition | null;
};
/**  One file of a plugin. */
export type PluginFile = {
    /**  From the plugin's folder, with `/`. */
    path: string;
    /**  Length. */
    bytes: Count;
    /**  SHA-256 of its contents, lower-case hexadecimal. */
    sha256: string;
};
/**  What a person granted. */
export type PluginGrant = {
    /**  Hash of the files as they were. */
    hash: string;
    /**  Version as it was. */
    version: string;
    /**  Capabilities granted. */
    capabilities: string[];
    /**  Whether edits are taken without asking. */
    development: boolean;
    /**  When. */
    grantedAt: Ms;
    /**  Key id whose signature carried it, if one did. */
    signer: string | null;
};
/**  A plugin, as its manifest names it: `[a-z0-9-]+`; for a further account of a channel `plugin@account`.  */
export type PluginId = string;
/**  `plugin.inject`. */
export type PluginInject = {
    /**  Plugin. */
    id: PluginId;
    /**  Channel; may be left out when the plugin has one only. */
    channel: string | null;
    /**  Text. */
    text: string;
    /**  Sender's id; `author` when absent. */
    sender: string | null;
    /**  Conversation; `direct` when absent. */
    conversation: string | null;
};
/**  `plugin.inject`: what became of the message. */
export type PluginInjected = {
    /**  The front door's answer. */
    answer: IngressAnswer;
};
/**  `plugin.install`. */
export type PluginInstall = {
    /**  Folder or `.tgz` on this machine, absolute. */
    path: string;
    /**  Replaces a plugin of the same id. */
    replace: boolean | null;
};
/**  Where a plugin was found. */
export type PluginOrigin = 
/**  Shipped with the app. */
"bundled" | 
/**  `extensions/` of the home. */
"global" | 
/**  `extensions/` of a workspace. */
"workspace" | 
/**  A program of its own that joined over the gateway. */
"gateway";
/**  Names a plugin. */
export type PluginRef = {
    /**  Plugin. */
    id: PluginId;
};
/**  `plugin.revoke`. */
export type PluginRevoke = {
    /**  Plugin. */
    id: PluginId;
    /**  Capability to take back; the whole trust when absent. */
    capability: string | null;
};
/**  One extensions folder. */
export type PluginRoot = {
    /**  Kind. */
    origin: PluginOrigin;
    /**  Its workspace. */
    workspace: WorkspaceId | null;
    /**  Folder. */
    path: string;
    /**  Whether it is there. */
    exists: boolean;
};
/**  `plugin.secret`. */
export type PluginSecret = {
    /**  Plugin. */
    id: PluginId;
    /**  Name. */
    name: string;
    /**  Value; absent removes it. */
    value: string | null;
};
/**  What a signature file beside the manifest says. */
export type PluginSignature = 
/**  There is none. */
{
    kind: "none";
} | 
/**  It fits the files. */
{
    kind: "valid";
    /**  Key id, 16 hexadecimal digits. */
    keyId: string;
    /**  Whether a person has chosen to remember this key. */
    known: boolean;
    /**  The signer's trusted comment. */
    comment: string;
} | 
/**  It does not fit, or cannot be read. */
{
    kind: "invalid";
    /**  Why. */
    reason: string;
};
/**  One plugin. */
export type PluginSummary = {
    /**  Plugin. */
    id: PluginId;
    /**  Name to show. */
    name: string;
    /**  Version. */
    version: string;
    /**  One sentence. */
    description: string;
    /**  Where it was found. */
    origin: PluginOrigin;
    /**  Workspace whose folder it is in; absent for bundled and global ones. */
    workspace: WorkspaceId | null;
    /**  Folder. */
    path: string;
    /**  Whether a person has looked at these very files and granted what they may do. */
    trust: TrustState;
    /**  Whether the person has it switched on. */
    enabled: boolean;
    /**  How it stands. */
    status: Status;
    /**  What it declares. */
    contributes: Contributes;
    /**  What it may reach. */
    capabilities: string[];
    /**  Loads since start; a reload adds one. */
    generation: number;
    /**  Use of its budget. */
    usage: PluginUsage;
    /**  Newest faults, at most 20. */
    faults: PluginFault[];
    /**  The connection that brought it, where it came over the gateway and is there now. */
    client?: ExternalClient | null;
};
/**  What a new plugin starts as. */
export type PluginTemplate = 
/**  A tool the agent can call. */
"tool" | 
/**  A hook on messages. */
"hook" | 
/**  A channel that polls an HTTP service. */
"channel" | 
/**  A service that runs in the background. */
"service";
/**  `plugin.trust`. */
export type PluginTrust = {
    /**  Plugin. */
    id: PluginId;
    /**  Hash of the files that were looked at; refused when they are others by now. */
    hash: string;
    /**  Capabilities granted, out of those the manifest declares. */
    capabilities: string[];
    /**  Takes edits of this folder without asking; never new capabilities. */
    development: boolean | null;
    /**  Remembers the key that signed it, so that the same author's updates carry over. */
    rememberSigner: boolean | null;
};
/**  What a plugin uses. */
export type PluginUsage = {
    /**  JavaScript heap in bytes. */
    memoryBytes: Count;
    /**  CPU in the last full minute, milliseconds. */
    cpuMsLastMinute: number;
    /**  Live timers. */
    timers: number;
    /**  Host calls in flight. */
    callsInFlight: number;
    /**  Open WebSockets. */
    sockets: number;
    /**  Calls that wait for the plugin. */
    queueDepth: number;
    /**  HTTP requests and sockets begun in the last full minute. */
    requestsLastMinute: number;
    /**  Log lines dropped in the last full minute, because there were too many. */
    logLinesDropped: number;
    /**  Restarts after a fault since the app started. */
    restarts: number;
};
/**  What the agent knows of the person (`preferences.json`); unknown fields stay. */
export type Preferences = {
    /**  Name. */
    name: string | null;
    /**  Time zone, as in the tz database. */
    timezone: string | null;
    /**  Language answers are written in. */
    language: string | null;
    /**  City. */
    city: string | null;
    /**  Country. */
    country: string | null;
    /**  Anything else. */
    notes: string | null;
};
/**  What a look at the platform gave. */
export type Probe = {
    /**  Whether the channel could work now. */
    ok: boolean;
    /**  How long the platform took, in milliseconds. */
    latencyMs: number;
    /**  One sentence for a person. */
    message: string;
};
/**  Wire format of a provider. */
export type ProviderKind = 
/**  Scripted, built in, no key: for trying the app and for tests. */
"demo" | 
/**  Anthropic Messages. */
"anthropic" | 
/**  OpenAI Chat Completions; also Ollama, LM Studio and most gateways. */
"openai-chat";
/**  A provider the person has set up. */
export type ProviderSettings = {
    /**  Name by which sessions refer to it. */
    id: string;
    /**  Wire format. */
    kind: ProviderKind;
    /**  Base URL; absent = the vendor's own. */
    baseUrl?: string | null;
    /**  Model name sent to the provider. */
    model: string;
    /**  Longest answer in tokens. */
    maxTokens?: number | null;
};
/**  A provider with how it stands. */
export type ProviderSummary = {
    /**  Settings. */
    settings: ProviderSettings;
    /**  Name to show; a scripted one says so. */
    label: string;
    /**  Whether new sessions use it. */
    default: boolean;
    /**  Whether a key is stored. */
    hasKey: boolean;
    /**  How it stands. */
    status: Status;
};
/**  Hours in which a channel starts no turn; what comes in waits until they end. */
export type QuietHours = {
    /**  Begin, `HH:MM` on this machine's clock. */
    from: string;
    /**  End, `HH:MM`; before `from` means the next morning. */
    until: string;
};
/**  A ratio or an amount of money; never NaN or infinite. */
export type Real = number;
/**  Why ingress or a hook refused a message. */
export type RefusalCode = 
/**  Longer than the cap. */
"too_large" | 
/**  The sender is not paired yet; a code was issued. */
"pairing_required" | 
/**  The sender is not on the allow-list. */
"not_allowed" | 
/**  The channel takes no direct messages, or is off. */
"channel_off" | 
/**  A group message that does not address the bot. */
"not_mentioned" | 
/**  The sender is a bot, or it is our own echo. */
"loop" | 
/**  Too many messages. */
"rate_limited" | 
/**  A hook blocked it. */
"blocked_by_hook" | 
/**  The agent was at work, and the binding takes nothing then. */
"busy" | 
/**  As many messages wait in the session as may. */
"queue_full";
/**  How often a channel refused for one reason. */
export type RefusalCount = {
    /**  Channel. */
    channel: ChannelId;
    /**  Reason. */
    code: RefusalCode;
    /**  How often, within the time refused messages are kept. */
    count: number;
    /**  The last time. */
    lastAt: Ms;
    /**  Who it was then. */
    lastSender: SenderId;
};
/**  What one generation registered. */
export type Registered = {
    /**  Tools. */
    tools: ToolInfo[];
    /**  Hooks, in order of event. */
    hooks: RegisteredHook[];
    /**  Channels. */
    channels: ChannelInfo[];
    /**  Services. */
    services: string[];
    /**  Commands. */
    commands: CommandInfo[];
    /**  Routes. */
    routes: RouteInfo[];
};
/**  One hook handler and where it stands. */
export type RegisteredHook = {
    /**  Event. */
    event: HookName;
    /**  How handlers of the event run. */
    kind: HookKind;
    /**  Priority; higher first. */
    priority: number;
    /**  Place among all handlers of the event, from 1. */
    position: number;
    /**  Handlers of the event in all. */
    of: number;
    /**  Its own limit in milliseconds, when lower than the event's. */
    timeoutMs: number | null;
};
/**  `route.explain`. */
export type RouteExplain = {
    /**  Channel it would come from. */
    channel: ChannelId;
    /**  The message, as a channel hands it in. */
    message: InboundDraft;
    /**  A table that is not in force yet; the present one when absent. */
    table?: RoutingTable | null;
};
/**  Why a message goes where it goes. Nothing is written, counted or sent to find out. */
export type RouteExplanation = {
    /**  In the order of the path. */
    steps: RouteStep[];
    /**  Set where the message would be refused at the door. */
    refusal: RefusalCode | null;
    /**  Binding that decides; absent for the default. */
    binding: string | null;
    /**  Person the sender is known as. */
    person: string | null;
    /**  Key of the session. */
    key: SessionKey | null;
    /**  Its session, where there is one already. */
    session: SessionId | null;
    /**  Workspace. */
    workspace: WorkspaceId | null;
    /**  Profile. */
    profile: string | null;
    /**  Permission mode a new session would get. */
    mode: PermissionMode;
    /**  Overlap rule. */
    overlap: Overlap;
};
/**  One route of the gateway. */
export type RouteInfo = {
    /**  Full path, `/hooks/<plugin>/…`. */
    path: string;
    /**  Methods it takes. */
    methods: string[];
};
/**  `route.join`: the conversation goes on in another session from its next message on. */
export type RouteJoin = {
    /**  Key of the conversation. */
    key: SessionKey;
    /**  Session it joins; a new one of its own when absent. */
    session: SessionId | null;
};
/**  A conversation and its session. */
export type RouteKey = {
    /**  Key. */
    key: SessionKey;
    /**  Session. */
    session: SessionId;
    /**  Title of the session. */
    name: string | null;
    /**  When a message last came in under it. */
    lastAt: Ms | null;
};
/**  One thing that was looked at on the way. */
export type RouteStep = {
    /**  What was asked (`policy`, `person`, `binding support`, `scope`, `key`, `session`). */
    question: string;
    /**  What came out, in a sentence. */
    answer: string;
    /**  Whether it decided: the binding that was taken, the rule that refused. */
    decided: boolean;
};
/**  Everything that decides where a message goes. */
export type RoutingTable = {
    /**  Workspace where no binding names one; the active workspace when absent. */
    workspace?: WorkspaceId | null;
    /**  Profile where no binding names one. */
    profile?: string | null;
    /**  Rules. Two that take the same messages are refused. */
    bindings?: Binding[];
    /**  Agent profiles. */
    profiles?: AgentProfile[];
    /**  Known people. */
    people?: Person[];
};
/**  Where a thing stands. */
export type RunState = 
/**  Not running, on purpose. */
{
    kind: "stopped";
} | 
/**  Being brought up. */
{
    kind: "starting";
} | 
/**  Up, but not yet talking to the other side. */
{
    kind: "connecting";
} | 
/**  Works. */
{
    kind: "running";
} | 
/**  Works, with something wrong. */
{
    kind: "degraded";
} | 
/**  Failed; tries again by itself. */
{
    kind: "backoff";
    /**  How often it has tried, from 1. */
    attempt: number;
    /**  When it tries next. */
    until: Ms;
} | 
/**  Waits for a person. */
{
    kind: "needs_user";
    /**  What the person can do. */
    action: UserAction;
} | 
/**  Failed and does not try again by itself. */
{
    kind: "failed";
    /**  Whether a restart by hand can help. */
    recoverable: boolean;
} | 
/**  Too many faults; held back until the cool-down ends or a person restarts it. */
{
    kind: "quarantined";
    /**  When the cool-down ends. */
    until: Ms;
} | 
/**  Being brought down. */
{
    kind: "stopping";
};
/**  The program runs with plugins off. */
export type SafeMode = {
    /**  Why: it crashed so often, or somebody asked for it. */
    reason: string;
    /**  Plugins that were being started or asked when it crashed. */
    suspects: string[];
    /**  Since when. */
    since: Ms;
};
/**  What a token may do. Each scope contains the ones before it, but for bringing plugins: that is for `plugin` and `admin`. */
export type Scope = 
/**  Bring plugins, and nothing else. */
"plugin" | 
/**  Look. */
"read" | 
/**  Write to sessions. */
"chat" | 
/**  Answer approvals and pairing. */
"approve" | 
/**  Change settings. */
"admin";
/**  A message that has the words. */
export type SearchHit = {
    /**  Session. */
    session: SessionSummary;
    /**  Message. */
    message: MessageId;
    /**  Kind of message. */
    kind: MessageKind;
    /**  When. */
    at: Ms | null;
    /**  Text around the words; each found word between U+2068 and U+2069. */
    snippet: string;
};
/**  Answer of `session.search`. */
export type SearchPage = {
    /**  Hits, best first. */
    hits: SearchHit[];
    /**  Sessions that are not in the index yet. */
    waiting: number;
};
/**  A secret's name and whether it is set. */
export type SecretState = {
    /**  Name. */
    name: string;
    /**  Whether a value is stored. */
    set: boolean;
};
/**  One thing a person should know before they open the channel to others. */
export type SecurityWarning = {
    /**  Short and stable. */
    code: string;
    /**  One sentence. */
    message: string;
};
/**  Who wrote. */
export type Sender = {
    /**  The platform's id of the person. */
    id: SenderId;
    /**  Name to show. */
    name?: string | null;
    /**  True for bots and webhooks; the loop guard refuses them. */
    isBot?: boolean;
};
/**  A person or bot that sends, made by the channel plugin.  */
export type SenderId = string;
/**  Server → client. */
export type ServerFrame = 
/**  First frame, before anything is trusted. */
{
    type: "hello";
    /**  Random per connection. */
    nonce: string;
    /**  Versions spoken. */
    versions: number[];
} | 
/**  The handshake is done. */
{
    type: "welcome";
    /**  Version in force. */
    version: number;
    /**  This boot; numbers of another boot mean nothing. */
    boot: string;
    /**  Number of the newest event. */
    seq: Count;
    /**  What the token may do. */
    scope: Scope;
    /**  Operations on offer. */
    operations: string[];
} | 
/**  The device is paired. */
{
    type: "paired";
    /**  Device, for `connect`. */
    device: string;
    /**  Token, where the device gave no key. It is said once. */
    token?: string | null;
    /**  What it may do. */
    scope: Scope;
    /**  When it has to be paired again. */
    expiresAt?: Ms | null;
} | 
/**  Asks a plugin that this connection brought. */
{
    type: "call";
    /**  Number of the call. */
    call: Count;
    /**  Plugin. */
    plugin: PluginId;
    /**  What for. */
    kind: ExternalCall;
    /**  With what. */
    params: Json;
    /**  Milliseconds until it is given up. */
    deadlineMs: number;
} | 
/**  Nobody waits for a call any longer. */
{
    type: "cancel";
    /**  Number of the call. */
    call: Count;
} | 
/**  Answer to a request; exactly one of `result` and `error` is set. */
{
    type: "response";
    /**  Id of the request. */
    id: Count;
    /**  Result. */
    result?: Json | null;
    /**  Failure. */
    error?: WireError | null;
} | 
/**  A fact. */
{
    type: "event";
    /**  Number. */
    seq: Count;
    /**  Fact. */
    fact: Json;
} | 
/**  Events were missed that are no longer kept: ask for the state again. */
{
    type: "resync";
    /**  Number of the newest event. */
    seq: Count;
} | 
/**  The connection ends; the reason is for a person. */
{
    type: "goodbye";
    /**  Reason. */
    reason: string;
};
/**  `session.approve`. */
export type SessionApprove = {
    /**  Session. */
    id: SessionId;
    /**  Call. */
    callId: CallId;
    /**  Answer. */
    decision: ApprovalDecision;
};
/**  `session.archive`. */
export type SessionArchive = {
    /**  Session. */
    id: SessionId;
    /**  Into the archive or out of it. */
    archived: boolean;
};
/**  `session.attachment`. */
export type SessionAttachmentRef = {
    /**  Session. */
    session: SessionId;
    /**  Attachment. */
    attachment: string;
};
/**  The channel conversation a session belongs to. */
export type SessionChannel = {
    /**  Plugin's channel id (`telegram`). */
    adapter: string;
    /**  Configuration the channel runs under. */
    slug: string;
    /**  Name to show. */
    displayName?: string | null;
};
/**  A kind of session that is tidied up alike. */
export type SessionClass = 
/**  Begun in the window or by a client. */
"desktop" | 
/**  A channel's direct conversation. */
"direct" | 
/**  A channel's group. */
"group" | 
/**  A thread in a channel. */
"thread";
/**  `session.create`. */
export type SessionCreate = {
    /**  Workspace; the active one when absent. */
    workspace: WorkspaceId | null;
    /**  Title. */
    name: string | null;
    /**  Provider id; the default one when absent. */
    model: string | null;
    /**  Permission mode; the workspace's when absent. */
    mode: PermissionMode | null;
    /**  Folder its tools work in, absolute; the workspace's when absent. */
    workingDirectory: string | null;
    /**  Agent profile of the routing table. */
    profile: string | null;
};
/**  A session with its transcript. */
export type SessionDetail = {
    /**  Row. */
    summary: SessionSummary;
    /**  Messages, oldest first. */
    messages: Message[];
    /**  Messages before the first one here. */
    earlier: number;
    /**  Tool calls that wait for a person. */
    approvals: Approval[];
    /**  What it is doing. */
    state: SessionState;
};
/**
 *  What a session says while it works. Deltas are for the eye and never stored; a client that missed some asks for the
 *  session again. Fields are camelCase on the wire.
 */
export type SessionEvent = 
/**  The state changed. */
{
    kind: "state";
    /**  New state. */
    state: SessionState;
} | 
/**  A row was added, or replaced (same id). */
{
    kind: "message";
    /**  The row. */
    message: Message;
} | 
/**  Input waits for its turn. */
{
    kind: "queued";
    /**  Rows waiting. */
    depth: number;
} | 
/**  A turn began. */
{
    kind: "turn_started";
    /**  Turn. */
    turn: TurnId;
    /**  Model as the person chose it; a scripted agent says so in its name. */
    model: string;
} | 
/**  Text of the row `message` grew. */
{
    kind: "text_delta";
    /**  Row it will become. */
    message: MessageId;
    /**  What was added. */
    text: string;
} | 
/**  Thinking grew. */
{
    kind: "thinking_delta";
    /**  Row it will become. */
    message: MessageId;
    /**  What was added. */
    text: string;
} | 
/**  The attempt failed before anything was kept; what was shown of `message` is void. */
{
    kind: "message_reset";
    /**  Row. */
    message: MessageId;
} | 
/**  The provider is asked again. */
{
    kind: "model_retry";
    /**  From 1. */
    attempt: number;
    /**  Until the next attempt. */
    waitMs: number;
    /**  Why. */
    reason: string;
} | 
/**  A tool call waits for a person. */
{
    kind: "approval_requested";
    /**  The call, with what is asked. */
    approval: Approval;
} | 
/**  A person answered, or the call was withdrawn. */
{
    kind: "approval_resolved";
    /**  Call. */
    callId: CallId;
    /**  The answer. */
    decision: ApprovalDecision;
} | 
/**  Token use so far. */
{
    kind: "usage";
    /**  Totals of the session. */
    usage: TokenUsage;
} | 
/**  A turn ended. */
{
    kind: "turn_ended";
    /**  Turn. */
    turn: TurnId;
    /**  How. */
    end: TurnEnd;
    /**  Set for `failed`. */
    error: WireError | null;
};
/**  `session.export` */
export type SessionExport = {
    /**  Session. */
    id: SessionId;
    /**  `markdown` or `json`. */
    format: string;
};
/**  `session.get`. */
export type SessionGet = {
    /**  Session. */
    id: SessionId;
    /**  At most this many newest messages; all when absent. */
    limit: number | null;
    /**  Only messages before this one, for reading back. */
    before: MessageId | null;
};
/**  Folder name of a session, `YYMMDD-adjective-noun[-n]`.  */
export type SessionId = string;
/**  Where a conversation belongs; derived by the router, see `kata_core::router`.  */
export type SessionKey = string;
/**  `session.list`. */
export type SessionList = {
    /**  Only this workspace. */
    workspace: WorkspaceId | null;
    /**  Only sessions with (true) or without (false) a channel. */
    channel: boolean | null;
    /**  Words in name or preview. */
    search: string | null;
    /**  Only those in the archive (true) or not in it (false, and when absent). */
    archived: boolean | null;
    /**  At most this many, newest first; 200 when absent, 1000 at most. */
    limit: number | null;
    /**  Skip this many. */
    offset: number | null;
};
/**  `session.notes`: the person's notes beside a session; absent text only reads. */
export type SessionNotes = {
    /**  Session. */
    id: SessionId;
    /**  `notes.md`, whole. */
    text: string | null;
};
/**  A page of sessions. */
export type SessionPage = {
    /**  Rows. */
    sessions: SessionSummary[];
    /**  Rows that match in all. */
    total: number;
};
/**  Names a session. */
export type SessionRef = {
    /**  Session. */
    id: SessionId;
};
/**  Which parts of a conversation share a session. */
export type SessionScope = 
/**  One session for the conversation; one for each thread in it where the platform has threads. */
"thread" | 
/**  One session for the conversation with all its threads. */
"conversation" | 
/**  One session for each sender in the conversation. */
"sender" | 
/**  One session for a known person's direct conversations over all channels; as `thread` for everybody else and in groups. */
"person";
/**  `session.search`. */
export type SessionSearch = {
    /**  Words; all must be in one message. `"in quotes"` keeps words together, a `*` at the end of a word takes its beginnings. */
    query: string;
    /**  Only this workspace. */
    workspace: WorkspaceId | null;
    /**  At most this many hits, best first; 50 when absent, 200 at most. */
    limit: number | null;
};
/**  What a session is doing. */
export type SessionState = 
/**  Waits for input. */
"idle" | 
/**  Builds the request, runs `before_agent_start`. */
"preparing" | 
/**  The model answers. */
"streaming" | 
/**  A tool call waits for a person. */
"awaiting_approval" | 
/**  Tools run. */
"running_tools" | 
/**  Cleans up after an interrupt. */
"stopping" | 
/**  The last turn failed; the next input starts afresh. */
"failed";
/**  `session.submit`. */
export type SessionSubmit = {
    /**  Session. */
    id: SessionId;
    /**  Text. */
    text: string;
    /**  What happens when it is busy. */
    delivery: Delivery | null;
    /**  A second submit with the same key in the same session is the same submit. */
    idempotencyKey: string | null;
    /**  Files, at most 10. */
    attachments: SubmitAttachment[] | null;
};
/**  The input is durable. */
export type SessionSubmitted = {
    /**  Row of the input. */
    message: MessageId;
    /**  Trace of its life. */
    trace: TraceId;
};
/**  One row of the session list. */
export type SessionSummary = {
    /**  Session. */
    id: SessionId;
    /**  Workspace it lies in. */
    workspace: WorkspaceId;
    /**  Title; absent until there is one. */
    name: string | null;
    /**  First words. */
    preview: string | null;
    /**  When it began. */
    createdAt: Ms;
    /**  Last message. */
    lastMessageAt: Ms;
    /**  Flagged by the person. */
    flagged: boolean;
    /**  Status id (`todo`, …). */
    status: string | null;
    /**  Labels, `id` or `id::value`. */
    labels: string[];
    /**  Unread messages. */
    unread: boolean;
    /**  Permission mode. */
    mode: PermissionMode;
    /**  Model, where the session fixes one. */
    model: string | null;
    /**  Set for sessions that belong to a channel conversation. */
    channel: SessionChannel | null;
    /**  Messages in the transcript. */
    messageCount: number;
    /**  Token use. */
    usage: TokenUsage;
    /**  What it is doing. */
    state: SessionState;
    /**  In the archive. */
    archived?: boolean;
    /**  Folder its tools work in; the workspace's when absent. */
    workingDirectory?: string | null;
    /**  Agent profile. */
    profile?: string | null;
};
/**  `session.update`; absent fields stay. */
export type SessionUpdate = {
    /**  Session. */
    id: SessionId;
    /**  Title. */
    name: string | null;
    /**  Flag. */
    flagged: boolean | null;
    /**  Status id. */
    status: string | null;
    /**  Labels. */
    labels: string[] | null;
    /**  Read or unread. */
    unread: boolean | null;
    /**  Permission mode. */
    mode: PermissionMode | null;
    /**  Provider id. */
    model: string | null;
    /**  Folder its tools work in, absolute. */
    workingDirectory: string | null;
};
/**  `settings.set`: sets one setting of `settings.json`; null takes it away. */
export type SettingSet = {
    /**  Dotted path of one of the settings that `settings.list` names as changeable. */
    path: string;
    /**  Value. */
    value: Json;
};
/**  One setting and where its value comes from. */
export type SettingValue = {
    /**  Dotted path, `gateway.port`. */
    path: string;
    /**  Value in force. */
    value: Json;
    /**  `default`, a file, or an environment variable. */
    from: string;
};
/**  What a person answered. */
export type SetupAnswer = {
    /**  The step's `field` or `secret`. */
    name: string;
    /**  Text; a setting of another type is read from it. */
    value: string;
};
/**  One choice. */
export type SetupOption = {
    /**  Value to store. */
    value: string;
    /**  What a person reads. */
    label: string;
};
/**  One page of the set-up. `error` says what was wrong with the answer before. */
export type SetupStep = 
/**  Asks for a setting; the host checks it against the manifest's schema and stores it under `field`. */
{
    kind: "input";
    /**  Setting. */
    field: string;
    /**  Headline. */
    title: string;
    /**  Markdown: what it is and where to find it. */
    help: string;
    /**  What was wrong. */
    error?: string | null;
    /**  Text to copy, such as an app manifest. */
    copy?: string | null;
} | 
/**  Asks for a secret; the host stores it under `secret` and never shows it to anybody again. */
{
    kind: "secret";
    /**  Secret. */
    secret: string;
    /**  Headline. */
    title: string;
    /**  Markdown: what it is and where to find it. */
    help: string;
    /**  What was wrong. */
    error?: string | null;
    /**  Text to copy, such as an app manifest. */
    copy?: string | null;
} | 
/**  Sends the person to a web page; asked again until the step changes. */
{
    kind: "open";
    /**  Address, `https:` or loopback. */
    url: string;
    /**  Headline. */
    title: string;
    /**  Markdown. */
    help: string;
    /**  What was wrong. */
    error?: string | null;
} | 
/**  Shows a code to scan; asked again until the step changes. */
{
    kind: "qr";
    /**  What the code says. */
    text: string;
    /**  Headline. */
    title: string;
    /**  Markdown. */
    help: string;
    /**  What was wrong. */
    error?: string | null;
} | 
/**  Lets the person choose; the value is stored under `field`. */
{
    kind: "choice";
    /**  Setting. */
    field: string;
    /**  Headline. */
    title: string;
    /**  Markdown. */
    help?: string;
    /**  What there is to choose from. */
    options: SetupOption[];
    /**  What was wrong. */
    error?: string | null;
} | 
/**  Finished. */
{
    kind: "done";
    /**  The account, as drafts carry it. */
    account: AccountId;
    /**  Its name. */
    name: string;
};
/**  How bad a finding is. */
export type Severity = 
/**  Good to know. */
"info" | 
/**  Somebody could do more than you may think. */
"warning" | 
/**  Somebody can do harm now. */
"critical";
/**  A skill: instructions that the agent takes up when they are called for. */
export type Skill = {
    /**  Folder's name. */
    slug: string;
    /**  Workspace. */
    workspace: WorkspaceId;
    /**  Name to show. */
    name: string;
    /**  When it is to be used. */
    description: string;
    /**  Folder. */
    path: string;
    /**  What is wrong with the file; such a skill is not offered. */
    error: string | null;
};
/**  A skill's file. */
export type SkillDocument = {
    /**  Skill. */
    skill: Skill;
    /**  `SKILL.md`, whole. */
    text: string;
};
/**  Names a skill. */
export type SkillRef = {
    /**  Workspace. */
    workspace: WorkspaceId;
    /**  Folder's name. */
    slug: string;
};
/**  `skill.write`: makes or changes a skill. */
export type SkillWrite = {
    /**  Workspace. */
    workspace: WorkspaceId;
    /**  Folder's name, `[a-z0-9-]+`. */
    slug: string;
    /**  `SKILL.md`, whole: `name` and `description` in its head, instructions below. */
    text: string;
};
/**  `source.add`: writes `sources/SLUG/` of a workspace. It is tried at once; what is missing is said in its state. */
export type SourceAdd = {
    /**  Workspace; default the active one. */
    workspace: WorkspaceId | null;
    /**  `config.json` without `id`, `slug` and times: `name`, `type` and the part of that type. An error names the field. */
    config: Json;
    /**  `guide.md`. */
    guide: string | null;
};
/**  What a service may use; 0 is without a limit. */
export type SourceBudget = {
    /**  Requests per minute. */
    requestsPerMinute: number;
    /**  Requests per day. */
    requestsPerDay: number;
    /**  Times its own timers and schedules woke it per minute. */
    wakeupsPerMinute: number;
    /**  Requests in the last full minute. */
    requestsLastMinute: number;
    /**  Requests since midnight, UTC. */
    requestsToday: number;
    /**  Wake-ups in the last full minute. */
    wakeupsLastMinute: number;
    /**  CPU in the last full minute, milliseconds. */
    cpuMsLastMinute: number;
    /**  CPU limit a minute, milliseconds. */
    cpuMsPerMinute: number;
    /**  JavaScript heap, bytes. */
    memoryBytes: Count;
    /**  Its limit. */
    memoryLimit: Count;
};
/**  `source.configure`. */
export type SourceConfigure = {
    /**  Source. */
    id: SourceId;
    /**  Settings; checked against the plugin's schema, an error names the field. */
    settings: Json;
};
/**  A source with everything the detail view shows. */
export type SourceDetail = {
    /**  Row. */
    summary: SourceSummary;
    /**  Newest states first, at most 50. */
    timeline: Status[];
    /**  Tools it brings. */
    tools: string[];
    /**  Hook events it listens to. */
    hooks: string[];
    /**  Commands it brings. */
    commands: string[];
    /**  Capabilities it was granted. */
    capabilities: string[];
    /**  JSON Schema of its settings. */
    settingsSchema: Json | null;
    /**  Present settings. */
    settings: Json;
    /**  Names of its secrets and whether each is set. Values never leave the engine. */
    secrets: SecretState[];
    /**  Newest log lines, at most 100. */
    log: LogRecord[];
    /**  What it uses and may use, while it runs. */
    budget: SourceBudget | null;
    /**  Work it has planned. */
    jobs: SourceJob[];
    /**  Where it is on, for a source that serves every workspace; empty for one that belongs to one. */
    workspaces: WorkspaceSwitch[];
    /**  The account it is signed in with. */
    account: OauthAccount | null;
    /**  Name of the provider it signs in at, where it does; `mcp` where an MCP server says itself where. */
    signsInAt: string | null;
};
/**  A source's files. */
export type SourceDocument = {
    /**  Folder. */
    path: string;
    /**  `config.json`; null where it cannot be read. */
    config: Json;
    /**  `guide.md`. */
    guide: string | null;
    /**  `permissions.json`; null where there is none. */
    permissions: Json;
    /**  What is wrong with which file; empty when all is well. */
    errors: string[];
};
/**  `source.enable`. */
export type SourceEnable = {
    /**  Source. */
    id: SourceId;
    /**  On or off. */
    enabled: boolean;
    /**  For one workspace only; absent for all of them. */
    workspace: WorkspaceId | null;
};
/**  A source in the panel: `channel:telegram`, `mcp:my-workspace:linear`, …  */
export type SourceId = string;
/**  One planned piece of work of a service. */
export type SourceJob = {
    /**  Its id in the plugin. */
    id: string;
    /**  When it runs, in words: `every 5 minutes`, `0 9 * * 1-5 (Europe/Berlin)`. */
    when: string;
    /**  Next time; absent when it is over. */
    next: Ms | null;
    /**  Last time. */
    last: Ms | null;
    /**  Whether its interval is stretched, because nobody needs it or the machine saves power. */
    stretched: boolean;
    /**  What went wrong the last time. */
    error: string | null;
};
/**  Kind of a source. */
export type SourceKind = 
/**  Messages come in and go out. */
"channel" | 
/**  Background work of a plugin. */
"service" | 
/**  Model Context Protocol server. */
"mcp" | 
/**  HTTP API. */
"api" | 
/**  Folder. */
"local";
/**  A place in an author's source, as they wrote it (TypeScript, not what it was turned into). */
export type SourcePosition = {
    /**  File, from the plugin's folder. */
    file: string;
    /**  Line, from 1. */
    line: number;
    /**  Column, from 1. */
    column: number;
};
/**  Names a source. */
export type SourceRef = {
    /**  Source. */
    id: SourceId;
};
/**  `source.secret`. */
export type SourceSecret = {
    /**  Source. */
    id: SourceId;
    /**  Name. */
    name: string;
    /**  Value; absent removes it. */
    value: string | null;
};
/**  One row of the sources panel. */
export type SourceSummary = {
    /**  Source. */
    id: SourceId;
    /**  Kind. */
    kind: SourceKind;
    /**  Name to show. */
    name: string;
    /**  One line. */
    tagline: string | null;
    /**  Emoji, URL or nothing. */
    icon: string | null;
    /**  Workspace it is configured in; absent for all. */
    workspace: WorkspaceId | null;
    /**  Plugin that provides it. */
    plugin: PluginId | null;
    /**  Whether the person has it switched on. */
    enabled: boolean;
    /**  How it stands. */
    status: Status;
    /**  Last message or call. */
    lastActivity: Ms | null;
};
/**  `source.tools` */
export type SourceTool = {
    /**  Tool. */
    info: ToolInfo;
    /**  How calls of a new session of the workspace would be judged: `allow`, `ask` or `deny`. */
    judged: string;
};
/**  `source.write`: changes a source's files; what is absent stays. */
export type SourceWrite = {
    /**  Source. */
    id: SourceId;
    /**  `config.json`, whole. */
    config: Json | null;
    /**  `guide.md`; empty removes it. */
    guide: string | null;
    /**  `permissions.json`, whole; `{}` removes it. */
    permissions: Json | null;
};
/**  A state with its reason. `code` is stable and short; `message` is for a person. */
export type Status = {
    /**  Where it stands. */
    state: RunState;
    /**  Short stable reason (`conflict_409`, `unreachable`), empty when all is well. */
    code: string;
    /**  One sentence a person understands. */
    message: string;
    /**  Since when. */
    since: Ms;
};
/**  How a step ended. */
export type StepOutcome = 
/**  Passed unchanged. */
"ok" | 
/**  Passed, changed; see `diff`. */
"changed" | 
/**  Blocked, cancelled or refused. */
"blocked" | 
/**  Failed. */
"error" | 
/**  Took too long. */
"timeout";
/**  How a channel can show an answer while it is being written. */
export type StreamMode = 
/**  Not at all. */
"none" | 
/**  A message that is edited, and becomes the answer. */
"edit" | 
/**  A passing preview that goes by itself. */
"draft" | 
/**  The platform's own streaming; the stream becomes the answer. */
"native";
/**  A file a client sends with its input. */
export type SubmitAttachment = {
    /**  File name. */
    name: string;
    /**  Media type; found out when absent. */
    mime: string | null;
    /**  Bytes as base64, at most 16 MiB decoded. */
    data: string;
};
/**  `system.pause`: channels stop taking messages in and sending; what waits is kept. */
export type SystemPause = {
    /**  Pause or go on. */
    paused: boolean;
    /**  Go on by itself after so many minutes, 1 to 1,440; when somebody says so, if absent. */
    minutes: number | null;
};
/**  `system.restart` */
export type SystemRestart = {
    /**  Start with plugins off. */
    safe: boolean;
};
/**  One line of health and what stands behind it. */
export type SystemStatus = {
    /**  Version of the program. */
    version: string;
    /**  Home folder. */
    home: string;
    /**  Port of the gateway. */
    gatewayPort: number | null;
    /**  Since when it runs. */
    startedAt: Ms;
    /**  Milliseconds from start to ready. */
    readyAfterMs: number;
    /**  The line at the foot of the sidebar. */
    health: Health;
    /**  The model new sessions use. */
    model: ProviderSummary | null;
    /**  Where secrets are kept, in words. */
    secretStore: string;
    /**  What the person should know (a file that was set aside, settings of the last good boot). */
    notices: Notice[];
    /**  Messages by state. */
    ledger: Ledger;
    /**  Whether all channels are paused. */
    pause: PauseState;
    /**  Set while plugins are off because of crashes, or because somebody asked for it. */
    safeMode: SafeMode | null;
};
/**  Unit of a length limit. */
export type TextUnit = 
/**  Unicode scalar values. */
"chars" | 
/**  UTF-16 code units (Telegram). */
"utf16" | 
/**  UTF-8 bytes (IRC). */
"bytes";
/**  A thread or topic in a conversation, made by the channel plugin.  */
export type ThreadId = string;
/**  Token use of a session. Field names as the existing `session.jsonl` has them. */
export type TokenUsage = {
    /**  Tokens sent. */
    inputTokens?: Count;
    /**  Tokens answered. */
    outputTokens?: Count;
    /**  Both. */
    totalTokens?: Count;
    /**  Tokens of the last request. */
    contextTokens?: Count;
    /**  US dollars; 0 where the price is not known. */
    costUsd?: Real;
    /**  Read from the provider's cache. */
    cacheReadTokens?: Count;
    /**  Written to the provider's cache. */
    cacheCreationTokens?: Count;
};
/**  A tool call as a card shows it. */
export type ToolCall = {
    /**  The model's id of the call. */
    callId: CallId;
    /**  Tool. */
    name: string;
    /**  Arguments. */
    input: Json;
    /**  Result as text, once there is one. */
    result: string | null;
    /**  How it stands. */
    status: ToolStatus;
    /**  Milliseconds it ran. */
    durationMs: number | null;
};
/**  A tool on offer to the model. */
export type ToolInfo = {
    /**  Name the model calls. */
    name: string;
    /**  What it does, for the model. */
    description: string;
    /**  JSON Schema of its arguments. */
    parameters: Json;
    /**  Whether it only reads; allowed in mode `safe`. */
    readOnly: boolean;
    /**  Plugin it comes from; absent for built-in tools. */
    plugin: PluginId | null;
    /**  Source it comes from, where one brings it; it comes and goes with that source. */
    source?: SourceId | null;
};
/**  How a tool call stands. Names as in `session.jsonl`. */
export type ToolStatus = 
/**  Proposed. */
"pending" | 
/**  Runs. */
"executing" | 
/**  Ended well. */
"completed" | 
/**  Ended badly, was refused, or its outcome is unknown. */
"error" | 
/**  Goes on behind the turn. */
"backgrounded";
/**  What a tool gave. */
export type ToolTried = {
    /**  Whether it did what it was asked to. */
    ok: boolean;
    /**  What the model would read. */
    text: string;
    /**  How long it took, in milliseconds. */
    tookMs: number;
};
/**
 *  `tool.try`: a person runs a tool by hand, from a source's page. The permission rules are those of a session in mode `ask`:
 *  what is denied there is denied here, what would be asked is taken as answered.
 */
export type ToolTry = {
    /**  Tool. */
    name: string;
    /**  Arguments; checked against its schema. */
    params: Json;
    /**  Workspace; default the active one. */
    workspace: WorkspaceId | null;
};
/**  A group of facts; also what an operation makes stale in a client's cache. */
export type Topic = 
/**  The session list. */
"sessions" | 
/**  What sessions say. */
"session" | 
/**  Sources. */
"sources" | 
/**  Plugins. */
"plugins" | 
/**  Pairing. */
"pairing" | 
/**  Models. */
"models" | 
/**  Traces. */
"traces" | 
/**  Tool calls that wait. */
"approvals" | 
/**  Bindings and session keys. */
"routes" | 
/**  Messages that did not get through. */
"letters" | 
/**  Health. */
"health" | 
/**  Workspaces, their statuses, labels and skills; settings. */
"workspaces" | 
/**  What waits for the person. */
"attention" | 
/**  Devices and connections of the gateway. */
"devices" | 
/**  Updates. */
"updates";
/**  One message's life. */
export type Trace = {
    /**  Trace. */
    id: TraceId;
    /**  When the message came in. */
    startedAt: Ms;
    /**  Where from: a channel id, `desktop`, `cli`. */
    origin: string;
    /**  Session it went to. */
    session: SessionId | null;
    /**  Steps in order. */
    steps: TraceStep[];
    /**  Whether the message has reached a terminal state. */
    done: boolean;
};
/**  One message's life through the gates.  */
export type TraceId = string;
/**  `trace.list`. */
export type TraceList = {
    /**  Only this session. */
    session: SessionId | null;
    /**  Only those a plugin acted in. */
    plugin: PluginId | null;
    /**  Only those with a step that ended so. */
    outcome: StepOutcome | null;
    /**  Only those from here: a channel id, `desktop`, `cli`. */
    origin: string | null;
    /**  At most this many, newest first; 50 when absent, 500 at most. */
    limit: number | null;
};
/**  Names a trace. */
export type TraceRef = {
    /**  Trace. */
    id: TraceId;
};
/**  `trace.report`. */
export type TraceReport = {
    /**  Trace. */
    id: TraceId;
    /**  Markdown, for a bug report: no message text, no secrets. */
    text: string;
};
/**  What is traced. */
export type TraceRules = {
    /**  Workspaces whose messages leave no trace. */
    off?: WorkspaceId[];
    /**  Regular expressions (RE2); what they find in a diff or a note is replaced by `[redacted]`. At most 32. */
    redact?: string[];
    /**  JSON pointers whose values never stand in a diff (`/params/password`). At most 32. */
    redactFields?: string[];
    /**  Traces kept, 100 to 100,000. */
    keep?: number;
    /**  OpenTelemetry collector that gets every trace over OTLP/HTTP, `http://127.0.0.1:4318`; none when absent. */
    otlp?: string | null;
};
/**  A trace rule set with how the export stands. */
export type TraceState = {
    /**  Rules in force. */
    rules: TraceRules;
    /**  Traces kept now. */
    kept: number;
    /**  Traces exported since the start. */
    exported: number;
    /**  Traces that could not be exported since the start, and the last reason. */
    failed: number;
    /**  Last reason. */
    error: string | null;
};
/**  One step. */
export type TraceStep = {
    /**  Gate. */
    gate: Gate;
    /**  What exactly: hook event, tool name, model. */
    label: string;
    /**  Plugin that acted. */
    plugin: string | null;
    /**  Microseconds after the trace began. */
    startUs: number;
    /**  Microseconds it took. */
    durationUs: number;
    /**  How it ended. */
    outcome: StepOutcome;
    /**  Reason, where it did not pass. */
    note: string | null;
    /**  RFC 6902 patch, where it changed something. */
    diff: Json | null;
};
/**  Whether a person has looked at a plugin. */
export type TrustState = 
/**  Shipped with the app: trusted with what its manifest declares. */
"bundled" | 
/**  Nobody has looked at it yet; it does not run. */
"untrusted" | 
/**  These very files were looked at and granted. */
"trusted" | 
/**  Trusted, and edits of its files are taken without asking; new capabilities are not. */
"development" | 
/**  Trusted once; its files or what it asks for are different now. The version that ran before goes on until the app ends. */
"changed" | 
/**  A program that joined over the gateway: the token it came with, of scope `plugin` or `admin`, is what it was granted. */
"token";
/**  How a turn ended. */
export type TurnEnd = 
/**  The agent answered. */
"completed" | 
/**  A person stopped it. */
"interrupted" | 
/**  It failed; an `error` row says why. */
"failed";
/**  One input and everything the agent does about it.  */
export type TurnId = string;
/**  Which versions are offered. */
export type UpdateChannel = 
/**  Released versions. */
"stable" | 
/**  Those before a release, too. */
"beta";
/**  `update.install` */
export type UpdateInstall = {
    /**  Version the person saw; another one is refused. */
    version: string;
};
/**  A newer version. */
export type UpdateOffer = {
    /**  Version. */
    version: string;
    /**  Notes of the release, Markdown. */
    notes: string | null;
    /**  When it was published. */
    publishedAt: Ms | null;
    /**  Size, bytes, once it is known. */
    bytes: Count | null;
    /**  The person put it off. */
    dismissed: boolean;
};
/**  How an update ended. */
export type UpdateOutcome = {
    /**  Version it was for. */
    version: string;
    /**  Version before it. */
    from: string;
    /**  When. */
    at: Ms;
    /**  It runs; otherwise the version before it does. */
    ok: boolean;
    /**  What happened, in words for a person. */
    message: string;
};
/**  `update.configure`: rules for updates. */
export type UpdateRules = {
    /**  Which versions. */
    channel: UpdateChannel;
    /**  Look, fetch and put in without asking, in the quiet hours. */
    automatic: boolean;
    /**  When an automatic one may be put in; any time nothing is busy when absent. */
    quietHours: QuietHours | null;
};
/**  What is going on with an update. */
export type UpdateStage = 
/**  Nothing. */
{
    stage: "idle";
} | 
/**  Asking the server. */
{
    stage: "checking";
} | 
/**  Fetching. */
{
    stage: "downloading";
    /**  Bytes so far. */
    done: Count;
    /**  Of how many, where the server said so. */
    total: Count | null;
} | 
/**  Fetched and verified; waits for the quiet hours or for the person. */
{
    stage: "ready";
    /**  For what. */
    waitsFor: string;
} | 
/**  Turns are ending before the swap. */
{
    stage: "draining";
    /**  How many. */
    busy: number;
} | 
/**  Putting the new version in; the program starts again after it. */
{
    stage: "installing";
} | 
/**  It did not work; the version that runs stays. */
{
    stage: "failed";
    /**  Why, and what to do. */
    message: string;
};
/**  How updates stand. */
export type UpdateState = {
    /**  Version that runs. */
    current: string;
    /**  What is looked for, and when it is put in. */
    rules: UpdateRules;
    /**  Why this program does not update itself (`kata serve`, a build from source); absent where it does. */
    unavailable: string | null;
    /**  When it last looked. */
    checkedAt: Ms | null;
    /**  A newer version. */
    offer: UpdateOffer | null;
    /**  What is going on. */
    stage: UpdateStage;
    /**  How the last one ended. */
    last: UpdateOutcome | null;
};
/**  `usage.get` */
export type UsageGet = {
    /**  Days back, 1 to 366. */
    days: number;
};
/**  Tokens by day and model. */
export type UsageRow = {
    /**  Begin of the day on this machine's clock. */
    day: Ms;
    /**  Model. */
    model: string;
    /**  Tokens in. */
    input: Count;
    /**  Tokens out. */
    output: Count;
    /**  Turns. */
    turns: Count;
};
/**  What a person can do to mend a state; the panel draws a button from it. */
export type UserAction = 
/**  Fill in settings or a secret; `field` names what is missing. */
{
    kind: "configure";
    /**  Setting or secret that is missing. */
    field: string;
} | 
/**  Look at a plugin's capabilities and grant them. */
{
    kind: "trust";
} | 
/**  Sign in again. */
{
    kind: "relogin";
} | 
/**  Approve or refuse a person who wrote. */
{
    kind: "pair";
} | 
/**  Choose a model. */
{
    kind: "add_model";
};
/**  What happens when as many messages wait as may. */
export type WhenFull = 
/**  The newest is refused. */
"refuse_new" | 
/**  The oldest that waits is refused, and the newest takes its place. */
"refuse_old";
/**  What every refused or failed operation returns. */
export type WireError = {
    /**  What a client branches on. */
    code: ErrorCode;
    /**  What went wrong, in words, naming the field or the plugin. Never contains message text or a secret. */
    message: string;
    /**  What the person can do about it. */
    hint?: string | null;
    /**  Machine-readable extras (field path, limits). */
    details?: Json | null;
};
/**  A status a session can have. */
export type WorkflowStatus = {
    /**  Status. */
    id: string;
    /**  Name to show. */
    label: string;
    /**  Colour as in the file. */
    color: Json | null;
    /**  Whether it counts as closed. */
    closed: boolean;
};
/**  `workspace.create` */
export type WorkspaceCreate = {
    /**  Name to show; the folder's name is made from it. */
    name: string;
};
/**  Folder name of a workspace under `workspaces/`.  */
export type WorkspaceId = string;
/**  Names a workspace. */
export type WorkspaceRef = {
    /**  Workspace. */
    id: WorkspaceId;
};
/**  A workspace's own settings. */
export type WorkspaceSettings = {
    /**  Workspace. */
    id: WorkspaceId;
    /**  Name to show. */
    name: string;
    /**  Mode of new sessions. */
    mode: PermissionMode | null;
    /**  Model of new sessions. */
    model: string | null;
    /**  Folder their tools work in. */
    workingDirectory: string | null;
    /**  Statuses as in the file: `id`, `label`, `color`, `category`. */
    statuses: Json;
    /**  Labels as in the file, a tree. */
    labels: Json;
};
/**  A workspace. */
export type WorkspaceSummary = {
    /**  Folder name. */
    id: WorkspaceId;
    /**  Name to show. */
    name: string;
    /**  Folder. */
    path: string;
    /**  Whether it is the active one. */
    active: boolean;
    /**  Statuses in order. */
    statuses: WorkflowStatus[];
    /**  Labels, flattened in order. */
    labels: Label[];
    /**  Number of sessions. */
    sessionCount: number;
};
/**  One workspace of a source that serves all of them. */
export type WorkspaceSwitch = {
    /**  Workspace. */
    workspace: WorkspaceId;
    /**  Whether its sessions see the source. */
    enabled: boolean;
};
/**  `workspace.update`; absent fields stay, an empty text takes a setting away. */
export type WorkspaceUpdate = {
    /**  Workspace. */
    id: WorkspaceId;
    /**  Name to show. */
    name: string | null;
    /**  Mode of new sessions. */
    mode: PermissionMode | null;
    /**  Model of new sessions. */
    model: string | null;
    /**  Folder their tools work in, absolute. */
    workingDirectory: string | null;
    /**  Statuses, whole. One that sessions have cannot be left out. */
    statuses: Json | null;
    /**  Labels, whole. */
    labels: Json | null;
};
/** A field that may be null may be left out of the parameters. */
export type OptionalNulls<T> = {
    [K in keyof T as null extends T[K] ? never : K]: T[K];
} & {
    [K in keyof T as null extends T[K] ? K : never]?: T[K];
};
/** Every operation with its parameters and its result. */
export type Operations = {
    /** Version, health, model, notices, ledger. */
    "system.status": {
        params: OptionalNulls<Empty>;
        result: SystemStatus;
    };
    /** Ends the program after draining. */
    "system.shutdown": {
        params: OptionalNulls<Empty>;
        result: Empty;
    };
    /** Settings in force and where each comes from. */
    "settings.list": {
        params: OptionalNulls<Empty>;
        result: SettingValue[];
    };
    /** Newest log lines. */
    "log.tail": {
        params: OptionalNulls<LogTail>;
        result: LogRecord[];
    };
    /** Takes a notice away. */
    "notice.dismiss": {
        params: OptionalNulls<NoticeDismiss>;
        result: Empty;
    };
    /** Workspaces with their statuses and labels. */
    "workspace.list": {
        params: OptionalNulls<Empty>;
        result: WorkspaceSummary[];
    };
    /** Sessions, newest first. */
    "session.list": {
        params: OptionalNulls<SessionList>;
        result: SessionPage;
    };
    /** One session with its transcript. */
    "session.get": {
        params: OptionalNulls<SessionGet>;
        result: SessionDetail;
    };
    /** A new session. */
    "session.create": {
        params: OptionalNulls<SessionCreate>;
        result: SessionSummary;
    };
    /** Input for a session; answers when it is durable. */
    "session.submit": {
        params: OptionalNulls<SessionSubmit>;
        result: SessionSubmitted;
    };
    /** Stops the present turn. */
    "session.interrupt": {
        params: OptionalNulls<SessionRef>;
        result: Empty;
    };
    /** Runs an interrupted or failed input again. */
    "session.resend": {
        params: OptionalNulls<SessionRef>;
        result: SessionSubmitted;
    };
    /** Title, flag, status, labels, mode, model. */
    "session.update": {
        params: OptionalNulls<SessionUpdate>;
        result: SessionSummary;
    };
    /** Answers a tool call that waits. */
    "session.approve": {
        params: OptionalNulls<SessionApprove>;
        result: ApprovalOutcome;
    };
    /** A file of a message. */
    "session.attachment": {
        params: OptionalNulls<SessionAttachmentRef>;
        result: AttachmentData;
    };
    /** Messages of all sessions that have these words. */
    "session.search": {
        params: OptionalNulls<SessionSearch>;
        result: SearchPage;
    };
    /** Into the archive or out of it. */
    "session.archive": {
        params: OptionalNulls<SessionArchive>;
        result: SessionSummary;
    };
    /** Deletes a session's folder; it must be in the archive. */
    "session.delete": {
        params: OptionalNulls<SessionRef>;
        result: Empty;
    };
    /** The conversation of this session begins a new one with its next message. */
    "session.reset": {
        params: OptionalNulls<SessionRef>;
        result: Empty;
    };
    /** Tool calls that wait for a person, oldest first. */
    "approval.list": {
        params: OptionalNulls<ApprovalList>;
        result: Approval[];
    };
    /** Answers one by its code; the first answer counts. */
    "approval.answer": {
        params: OptionalNulls<ApprovalAnswer>;
        result: ApprovalOutcome;
    };
    /** Rules in force in a workspace. */
    "permission.list": {
        params: OptionalNulls<PermissionList>;
        result: PermissionState;
    };
    /** Takes back what a person answered with “always”. */
    "permission.forget": {
        params: OptionalNulls<PermissionForget>;
        result: PermissionState;
    };
    /** How a call would be judged. */
    "permission.explain": {
        params: OptionalNulls<PermissionExplain>;
        result: PermissionExplanation;
    };
    /** Bindings, profiles and people. */
    "route.get": {
        params: OptionalNulls<Empty>;
        result: RoutingTable;
    };
    /** Puts another table in force; refused whole where a rule cannot stand. */
    "route.set": {
        params: OptionalNulls<RoutingTable>;
        result: RoutingTable;
    };
    /** Why a message would go where it would go. */
    "route.explain": {
        params: OptionalNulls<RouteExplain>;
        result: RouteExplanation;
    };
    /** Conversations with their sessions, newest first, at most 1,000. */
    "route.keys": {
        params: OptionalNulls<Empty>;
        result: RouteKey[];
    };
    /** A conversation goes on in another session. */
    "route.join": {
        params: OptionalNulls<RouteJoin>;
        result: RouteKey;
    };
    /** Refused messages, counted by channel and reason. */
    "refusal.list": {
        params: OptionalNulls<Empty>;
        result: RefusalCount[];
    };
    /** Messages that did not get through, newest first, at most 500. */
    "letter.list": {
        params: OptionalNulls<Empty>;
        result: Letter[];
    };
    /** Tries one again: a reply is sent, an inbound message handled. */
    "letter.retry": {
        params: OptionalNulls<LetterRef>;
        result: Empty;
    };
    /** Gives one up for good; it stays in the ledger. */
    "letter.discard": {
        params: OptionalNulls<LetterRef>;
        result: Empty;
    };
    /** Rules for tidying up sessions. */
    "hygiene.get": {
        params: OptionalNulls<Empty>;
        result: HygieneRules;
    };
    /** Sets them. */
    "hygiene.set": {
        params: OptionalNulls<HygieneRules>;
        result: HygieneRules;
    };
    /** What tidying up would do now. */
    "hygiene.preview": {
        params: OptionalNulls<HygienePreview>;
        result: HygienePlan;
    };
    /** Does it. */
    "hygiene.run": {
        params: OptionalNulls<Empty>;
        result: HygienePlan;
    };
    /** Reads the list of sessions, the keys and the search index anew from the files. */
    "index.rebuild": {
        params: OptionalNulls<Empty>;
        result: IndexRebuilt;
    };
    /** Every hook event with its handlers in order. */
    "hook.list": {
        params: OptionalNulls<Empty>;
        result: HookEvent[];
    };
    /** Providers that are set up. */
    "model.list": {
        params: OptionalNulls<Empty>;
        result: ProviderSummary[];
    };
    /** Models found on this machine; asks loopback addresses only, spends nothing. */
    "model.detect": {
        params: OptionalNulls<Empty>;
        result: DetectedModel[];
    };
    /** Sets a provider up. */
    "model.set": {
        params: OptionalNulls<ModelSet>;
        result: ProviderSummary;
    };
    /** Takes a provider away, with its key. */
    "model.remove": {
        params: OptionalNulls<ModelRef>;
        result: Empty;
    };
    /** Asks a provider for one word. */
    "model.test": {
        params: OptionalNulls<ModelRef>;
        result: ProviderSummary;
    };
    /** Every source of every kind. */
    "source.list": {
        params: OptionalNulls<Empty>;
        result: SourceSummary[];
    };
    /** One source. */
    "source.get": {
        params: OptionalNulls<SourceRef>;
        result: SourceDetail;
    };
    /** Switches a source on or off. */
    "source.enable": {
        params: OptionalNulls<SourceEnable>;
        result: SourceSummary;
    };
    /** Stops and starts a source. */
    "source.restart": {
        params: OptionalNulls<SourceRef>;
        result: SourceSummary;
    };
    /** Changes a source's settings. */
    "source.configure": {
        params: OptionalNulls<SourceConfigure>;
        result: SourceDetail;
    };
    /** Sets or removes a source's secret. */
    "source.secret": {
        params: OptionalNulls<SourceSecret>;
        result: SourceDetail;
    };
    /** A new source of type `mcp`, `api` or `local`. */
    "source.add": {
        params: OptionalNulls<SourceAdd>;
        result: SourceDetail;
    };
    /** Takes such a source away: its folder goes to `sources/.trash` of its workspace, its secrets go for good. */
    "source.remove": {
        params: OptionalNulls<SourceRef>;
        result: Empty;
    };
    /** Asks the other side whether the source could work, apart from what runs. */
    "source.test": {
        params: OptionalNulls<SourceRef>;
        result: Probe;
    };
    /** The files of a source that is set up by files. */
    "source.document": {
        params: OptionalNulls<SourceRef>;
        result: SourceDocument;
    };
    /** Changes them. */
    "source.write": {
        params: OptionalNulls<SourceWrite>;
        result: SourceDocument;
    };
    /** A source's tools, and how a call of each would be judged. */
    "source.tools": {
        params: OptionalNulls<SourceRef>;
        result: SourceTool[];
    };
    /** Runs a tool by hand. */
    "tool.try": {
        params: OptionalNulls<ToolTry>;
        result: ToolTried;
    };
    /** Questions of sources that wait for the person. */
    "elicitation.list": {
        params: OptionalNulls<Empty>;
        result: Elicitation[];
    };
    /** Answers one; the first answer counts. */
    "elicitation.answer": {
        params: OptionalNulls<ElicitationAnswer>;
        result: Empty;
    };
    /** Providers people sign in at. */
    "oauth.providers": {
        params: OptionalNulls<Empty>;
        result: OauthProvider[];
    };
    /** Adds or changes a provider. */
    "oauth.configure": {
        params: OptionalNulls<OauthConfigure>;
        result: OauthProvider;
    };
    /** Forgets a provider, or brings a preset back. */
    "oauth.remove": {
        params: OptionalNulls<OauthProviderRef>;
        result: Empty;
    };
    /** Begins a sign-in for a source. */
    "oauth.begin": {
        params: OptionalNulls<OauthBegin>;
        result: OauthSignIn;
    };
    /** How a sign-in stands. */
    "oauth.get": {
        params: OptionalNulls<OauthSignInRef>;
        result: OauthSignIn;
    };
    /** Gives a sign-in up. */
    "oauth.cancel": {
        params: OptionalNulls<OauthSignInRef>;
        result: Empty;
    };
    /** Accounts that are signed in. */
    "oauth.accounts": {
        params: OptionalNulls<Empty>;
        result: OauthAccount[];
    };
    /** Gives a source's account back at the provider, and forgets it here. */
    "oauth.revoke": {
        params: OptionalNulls<SourceRef>;
        result: SourceSummary;
    };
    /** Who may write to a channel; without changes it only answers. */
    "channel.policy": {
        params: OptionalNulls<ChannelPolicy>;
        result: ChannelPolicyState;
    };
    /** The step of a channel's set-up to show now; with an answer, the step after it. */
    "channel.setup": {
        params: OptionalNulls<ChannelSetup>;
        result: SetupStep;
    };
    /** Asks the platform whether the channel could work, apart from the running connection. */
    "channel.probe": {
        params: OptionalNulls<SourceRef>;
        result: Probe;
    };
    /** What a person should know before they open the channel to others. */
    "channel.audit": {
        params: OptionalNulls<SourceRef>;
        result: SecurityWarning[];
    };
    /** People and groups the channel knows of. */
    "channel.directory": {
        params: OptionalNulls<SourceRef>;
        result: ChannelDirectory;
    };
    /** Signs a channel's account out at the platform. */
    "channel.logout": {
        params: OptionalNulls<SourceRef>;
        result: SourceSummary;
    };
    /** A further account of a channel, with settings, secrets and state of its own; switched off until it is set up. */
    "account.add": {
        params: OptionalNulls<AccountAdd>;
        result: SourceSummary;
    };
    /** Takes a further account away, with its settings and secrets. */
    "account.remove": {
        params: OptionalNulls<SourceRef>;
        result: Empty;
    };
    /** Plugins. */
    "plugin.list": {
        params: OptionalNulls<Empty>;
        result: PluginSummary[];
    };
    /** Loads a plugin again; the old generation serves until the new one stands. */
    "plugin.reload": {
        params: OptionalNulls<PluginRef>;
        result: PluginSummary;
    };
    /** Switches a plugin on or off. */
    "plugin.enable": {
        params: OptionalNulls<PluginEnable>;
        result: PluginSummary;
    };
    /** One plugin: files, capabilities, grant, what changed, what it registered. */
    "plugin.get": {
        params: OptionalNulls<PluginRef>;
        result: PluginDetail;
    };
    /** Folders that are looked through, and the candidates that were not taken, with the reason. */
    "plugin.discovery": {
        params: OptionalNulls<Empty>;
        result: PluginDiscovery;
    };
    /** Trusts the files with this hash and grants capabilities; then it can be switched on. */
    "plugin.trust": {
        params: OptionalNulls<PluginTrust>;
        result: PluginSummary;
    };
    /** Takes one capability or the whole trust back, at once. */
    "plugin.revoke": {
        params: OptionalNulls<PluginRevoke>;
        result: PluginSummary;
    };
    /** Copies a folder or a .tgz into the extensions folder. It waits there until it is trusted. */
    "plugin.install": {
        params: OptionalNulls<PluginInstall>;
        result: PluginDetail;
    };
    /** Moves a plugin's folder out of the extensions folder and takes its trust back; its state stays. */
    "plugin.uninstall": {
        params: OptionalNulls<PluginRef>;
        result: Empty;
    };
    /** Writes a new plugin into the extensions folder, in development mode. */
    "plugin.create": {
        params: OptionalNulls<PluginCreate>;
        result: PluginDetail;
    };
    /** Changes a plugin's settings. */
    "plugin.configure": {
        params: OptionalNulls<PluginConfigure>;
        result: PluginDetail;
    };
    /** Sets or removes a plugin's secret. */
    "plugin.secret": {
        params: OptionalNulls<PluginSecret>;
        result: PluginDetail;
    };
    /** Hands a message in as if a plugin's channel had brought it; for authors. */
    "plugin.inject": {
        params: OptionalNulls<PluginInject>;
        result: PluginInjected;
    };
    /** Slash commands on offer. */
    "command.list": {
        params: OptionalNulls<Empty>;
        result: CommandInfo[];
    };
    /** Runs a slash command. */
    "command.run": {
        params: OptionalNulls<CommandRun>;
        result: CommandOutput;
    };
    /** Tools on offer. */
    "tool.list": {
        params: OptionalNulls<Empty>;
        result: ToolInfo[];
    };
    /** People who wait for approval. */
    "pairing.list": {
        params: OptionalNulls<Empty>;
        result: PairingRequest[];
    };
    /** Lets a person in. */
    "pairing.approve": {
        params: OptionalNulls<PairingRef>;
        result: PairingRequest;
    };
    /** Turns a person away. */
    "pairing.deny": {
        params: OptionalNulls<PairingRef>;
        result: Empty;
    };
    /** Newest traces. */
    "trace.list": {
        params: OptionalNulls<TraceList>;
        result: Trace[];
    };
    /** One trace. */
    "trace.get": {
        params: OptionalNulls<TraceRef>;
        result: Trace;
    };
    /** One trace as text for a report, without what was written. */
    "trace.report": {
        params: OptionalNulls<TraceRef>;
        result: TraceReport;
    };
    /** What is traced, and how the export stands. */
    "trace.rules": {
        params: OptionalNulls<Empty>;
        result: TraceState;
    };
    /** Changes what is traced. */
    "trace.configure": {
        params: OptionalNulls<TraceRules>;
        result: TraceState;
    };
    /** How the program starts and who brings it back. */
    "system.background": {
        params: OptionalNulls<Empty>;
        result: Background;
    };
    /** Starts it at login and after a crash, or no longer. */
    "system.background_set": {
        params: OptionalNulls<BackgroundSet>;
        result: Background;
    };
    /** Pauses all channels, or goes on; what waits is kept. */
    "system.pause": {
        params: OptionalNulls<SystemPause>;
        result: PauseState;
    };
    /** Drains and starts again. */
    "system.restart": {
        params: OptionalNulls<SystemRestart>;
        result: Empty;
    };
    /** Everything that waits for the person, oldest first, at most 200. */
    "attention.list": {
        params: OptionalNulls<Empty>;
        result: Attention[];
    };
    /** Gives one of its answers. */
    "attention.answer": {
        params: OptionalNulls<AttentionAnswer>;
        result: Empty;
    };
    /** How the program ended when it did not end in order, newest first, at most 20. */
    "crash.list": {
        params: OptionalNulls<Empty>;
        result: CrashReport[];
    };
    /** Marks one as seen. */
    "crash.dismiss": {
        params: OptionalNulls<CrashRef>;
        result: Empty;
    };
    /** Looks at everything that could be wrong, each with what mends it. */
    "doctor.run": {
        params: OptionalNulls<Empty>;
        result: Check[];
    };
    /** What a person should know before they leave it running. */
    "security.audit": {
        params: OptionalNulls<Empty>;
        result: Finding[];
    };
    /** The gateway and who is connected. */
    "gateway.state": {
        params: OptionalNulls<Empty>;
        result: GatewayState;
    };
    /** Devices that may come in. */
    "device.list": {
        params: OptionalNulls<Empty>;
        result: Device[];
    };
    /** Offers a place to a device. */
    "device.pair": {
        params: OptionalNulls<DevicePair>;
        result: DeviceOffer;
    };
    /** Shuts a device out, at once. */
    "device.revoke": {
        params: OptionalNulls<DeviceRef>;
        result: Empty;
    };
    /** How updates stand. */
    "update.get": {
        params: OptionalNulls<Empty>;
        result: UpdateState;
    };
    /** Looks for a newer version now. */
    "update.check": {
        params: OptionalNulls<Empty>;
        result: UpdateState;
    };
    /** Fetches it and puts it in; answers when that has begun. */
    "update.install": {
        params: OptionalNulls<UpdateInstall>;
        result: UpdateState;
    };
    /** Puts an offer off until there is a newer one. */
    "update.dismiss": {
        params: OptionalNulls<UpdateInstall>;
        result: UpdateState;
    };
    /** Changes the rules. */
    "update.configure": {
        params: OptionalNulls<UpdateRules>;
        result: UpdateState;
    };
    /** What other programs left on this machine. */
    "import.find": {
        params: OptionalNulls<ImportFind>;
        result: ImportCandidate[];
    };
    /** Takes things over; the other program's files stay as they are. */
    "import.run": {
        params: OptionalNulls<ImportRun>;
        result: ImportReport;
    };
    /** Copies of the home folder. */
    "backup.list": {
        params: OptionalNulls<Empty>;
        result: Backup[];
    };
    /** Makes one. */
    "backup.create": {
        params: OptionalNulls<Empty>;
        result: Backup;
    };
    /** Sets one setting. */
    "settings.set": {
        params: OptionalNulls<SettingSet>;
        result: SettingValue;
    };
    /** What the agent knows of the person. */
    "preference.get": {
        params: OptionalNulls<Empty>;
        result: Preferences;
    };
    /** Changes it; absent fields stay, an empty text takes one away. */
    "preference.set": {
        params: OptionalNulls<Preferences>;
        result: Preferences;
    };
    /** Tokens by day and model. */
    "usage.get": {
        params: OptionalNulls<UsageGet>;
        result: UsageRow[];
    };
    /** A workspace's own settings. */
    "workspace.get": {
        params: OptionalNulls<WorkspaceRef>;
        result: WorkspaceSettings;
    };
    /** A new workspace. */
    "workspace.create": {
        params: OptionalNulls<WorkspaceCreate>;
        result: WorkspaceSummary;
    };
    /** Changes a workspace. */
    "workspace.update": {
        params: OptionalNulls<WorkspaceUpdate>;
        result: WorkspaceSettings;
    };
    /** Makes it the active one. */
    "workspace.activate": {
        params: OptionalNulls<WorkspaceRef>;
        result: WorkspaceSummary;
    };
    /** Skills of a workspace. */
    "skill.list": {
        params: OptionalNulls<WorkspaceRef>;
        result: Skill[];
    };
    /** One skill with its text. */
    "skill.get": {
        params: OptionalNulls<SkillRef>;
        result: SkillDocument;
    };
    /** Makes or changes one. */
    "skill.write": {
        params: OptionalNulls<SkillWrite>;
        result: SkillDocument;
    };
    /** Moves one to `skills/.trash`. */
    "skill.remove": {
        params: OptionalNulls<SkillRef>;
        result: Empty;
    };
    /** Notes beside a session. */
    "session.notes": {
        params: OptionalNulls<SessionNotes>;
        result: SessionNotes;
    };
    /** A session as one text. */
    "session.export": {
        params: OptionalNulls<SessionExport>;
        result: Document;
    };
    /** Files of the folder a session works in. */
    "file.find": {
        params: OptionalNulls<FileFind>;
        result: FileHit[];
    };
    /** Git state of that folder. */
    "session.git": {
        params: OptionalNulls<SessionRef>;
        result: GitState;
    };
};
export type OperationName = keyof Operations;
/** What a client should ask for again after an operation. */
export declare const INVALIDATES: {
    readonly [K in OperationName]: readonly Topic[];
};
