/**  An account of a channel (bot, team), made by the channel plugin.  */
export type AccountId = string;
/**  `after_tool_call`: a tool ended. */
export type AfterToolCall = {
    /**  Session. */
    session: SessionId;
    /**  Turn. */
    turn: TurnId;
    /**  Call. */
    callId: CallId;
    /**  Tool. */
    tool: string;
    /**  Result text as the model will see it. */
    result: string;
    /**  Whether the tool failed. */
    isError: boolean;
};
/**  Answer to `after_tool_call`. */
export type AfterToolCallOutcome = {
    /**  New result text. */
    result?: string | null;
};
/**  `agent_end`. */
export type AgentEnd = {
    /**  Session. */
    session: SessionId;
    /**  Turn. */
    turn: TurnId;
    /**  How. */
    end: TurnEnd;
};
/**  `before_agent_start`: a turn is about to ask the model. */
export type BeforeAgentStart = {
    /**  Session. */
    session: SessionId;
    /**  Turn. */
    turn: TurnId;
    /**  Model that will be asked. */
    model: string;
    /**  Names of the tools on offer. */
    tools: string[];
    /**  Extra context so far. */
    context: string[];
};
/**  Answer to `before_agent_start`. */
export type BeforeAgentStartOutcome = {
    /**  Adds one piece of context for this turn. */
    addContext?: string | null;
    /**  Keeps only these tools (intersected with what is on offer). */
    tools?: string[] | null;
    /**  Asks another model this turn. */
    model?: string | null;
};
/**  `before_tool_call`: a tool call is about to run. */
export type BeforeToolCall = {
    /**  Session. */
    session: SessionId;
    /**  Turn. */
    turn: TurnId;
    /**  Call. */
    callId: CallId;
    /**  Tool. */
    tool: string;
    /**  Arguments. */
    params: Json;
};
/**  Answer to `before_tool_call`. */
export type BeforeToolCallOutcome = {
    /**  New arguments. */
    params?: Json | null;
    /**  Blocks the call; the model is told the reason. */
    block?: string | null;
    /**  Asks the person, with this reason. */
    ask?: string | null;
};
/**  A button under a message. Only channels with `capabilities.buttons` above 0 are given any. */
export type Button = {
    /**  What the host wants back when it is pressed: at most 48 bytes of `a-z A-Z 0-9 : -`. */
    id: string;
    /**  What stands on it, at most 24 characters. */
    label: string;
    /**  How it looks. */
    style: ButtonStyle;
};
/**  A person pressed a button. */
export type ButtonPress = {
    /**  Which account it happened in. */
    account: AccountId;
    /**  Where. */
    conversation: ConversationId;
    /**  Kind of conversation. */
    chatType: ChatType;
    /**  Thread or topic, if any. */
    thread?: ThreadId | null;
    /**  Who pressed. */
    sender: Sender;
    /**  Message the button stands under. */
    messageId: PlatformMessageId;
    /**  The button's id. */
    button: string;
};
/**  How a button looks. */
export type ButtonStyle = 
/**  One of several. */
"plain" | 
/**  What one would usually press. */
"primary" | 
/**  What takes something away or refuses it. */
"danger";
/**  One tool call, as the model named it.  */
export type CallId = string;
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
/**  A channel as its plugin registered it; for a further account `channel@account`.  */
export type ChannelId = string;
/**  Something happened to a message; the session hears of it as data, and no turn begins. */
export type ChannelNotice = {
    /**  Which account it happened in. */
    account: AccountId;
    /**  Where. */
    conversation: ConversationId;
    /**  Kind of conversation. */
    chatType: ChatType;
    /**  Thread or topic, if any. */
    thread?: ThreadId | null;
    /**  Who did it. */
    sender: Sender;
    /**  The message it happened to. */
    messageId: PlatformMessageId;
    /**  What happened. */
    what: NoticeKind;
    /**  When, by the platform's clock. */
    at?: Ms | null;
};
/**  The kind of conversation. */
export type ChatType = 
/**  Between one person and the bot. */
"direct" | 
/**  Several people. */
"group" | 
/**  A broadcast or named channel. */
"channel";
/**  `config_change`. */
export type ConfigChange = {
    /**  Settings that have another value now, as dotted paths without their values. */
    keys: string[];
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
/**  A message the agent sends of its own accord, through the outbox. */
export type DirectMessage = {
    /**  Id or name of one of the channel's known conversations. */
    to: string;
    /**  Thread or topic, if any. */
    thread?: ThreadId | null;
    /**  Markdown. */
    text: string;
};
/**  A conversation the bot knows of. */
export type DirectoryEntry = {
    /**  As drafts carry it. */
    id: ConversationId;
    /**  Name to show. */
    name: string;
    /**  Kind of conversation. */
    chatType: ChatType;
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
/**  `gateway_start`: the engine takes messages now. */
export type GatewayStart = {
    /**  Version of the app. */
    version: string;
};
/**  `gateway_stop`: the engine drains and ends. */
export type GatewayStop = {
    /**  Milliseconds until it ends whatever happens. */
    deadlineMs: number;
};
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
/**  A conversation the agent may write to of its own accord. */
export type KnownConversation = {
    /**  Which account reaches it. */
    account: AccountId;
    /**  As drafts carry it. */
    id: ConversationId;
    /**  Name to show. */
    name: string;
    /**  Kind of conversation. */
    chatType: ChatType;
};
/**  A file the host keeps. */
export type Media = {
    /**  Its name with the host. */
    id: MediaId;
    /**  Kind. */
    kind: MediaKind;
    /**  File name to show. */
    name: string;
    /**  Media type. */
    mime: string;
    /**  Length. */
    bytes: Count;
};
/**  A file the host keeps, named by what is in it.  */
export type MediaId = string;
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
/**  One message in a transcript.  */
export type MessageId = string;
/**  `message_received`: an admitted and routed message, or input from a client. */
export type MessageReceived = {
    /**  Session it goes to. */
    session: SessionId;
    /**  Text. */
    text: string;
    /**  Who wrote; absent for the desktop and the CLI. */
    sender: Sender | null;
    /**  Channel; absent for the desktop and the CLI. */
    channel: SessionChannel | null;
};
/**  Answer to `message_received`; absent fields change nothing. */
export type MessageReceivedOutcome = {
    /**  New text. */
    text?: string | null;
    /**  Blocks the message; the reason is shown and counted. */
    block?: string | null;
};
/**  `message_sending`: a reply is about to be queued. */
export type MessageSending = {
    /**  Session that answers. */
    session: SessionId;
    /**  Text. */
    text: string;
    /**  Where it goes. A hook cannot change it. Absent for the desktop and the CLI. */
    route: ReplyRoute | null;
};
/**  Answer to `message_sending`. */
export type MessageSendingOutcome = {
    /**  New text. */
    text?: string | null;
    /**  Cancels the reply; the reason is shown and counted. */
    cancel?: string | null;
};
/**  `message_sent`: the platform has it. */
export type MessageSent = {
    /**  Session that answered. */
    session: SessionId;
    /**  Where it went. */
    route: ReplyRoute | null;
    /**  Parts it took. */
    parts: number;
};
/**  Milliseconds since the Unix epoch (safe in a JavaScript number until the year 287396). */
export type Ms = number;
/**  What happened to a message that is there already. */
export type NoticeKind = 
/**  Its writer changed it. */
{
    kind: "edited";
    /**  Text as it is now. */
    text: string;
} | 
/**  It was taken back. */
{
    kind: "deleted";
} | 
/**  Somebody reacted, or took a reaction back. */
{
    kind: "reaction";
    /**  An emoji, or the platform's name for one. */
    emoji: string;
    /**  False when it was taken back. */
    added: boolean;
};
/**  `oauth_open`. Carries no address: it would hold the state of the sign-in. */
export type OauthOpen = {
    /**  Provider. */
    provider: string;
    /**  Scopes asked for. */
    scopes: string[];
};
/**  One send as the plugin's `outbound.send` gets it. */
export type OutboundMessage = {
    /**  Where to. */
    route: ReplyRoute;
    /**  Markdown, already cut to the channel's limit. May be empty when there are files. */
    text: string;
    /**  Files, read with `ctx.media.read`; only for channels with `filesOut`. */
    attachments?: Media[];
    /**  Buttons under the last platform message of this part. */
    buttons?: Button[];
    /**  A preview that this message takes the place of: what `outbound.stream` returned last. */
    replaces?: PlatformMessageId | null;
    /**  Stable over retries of this part; pass it to the platform where it takes one. */
    idempotencyKey: string;
    /**  From 1. */
    attempt: number;
};
/**  What the agent may do without asking. */
export type PermissionMode = 
/**  Only tools that read. */
"safe" | 
/**  Asks before anything else. */
"ask" | 
/**  Never asks. */
"allow-all";
/**  `plan_submitted`. */
export type PlanSubmitted = {
    /**  Session. */
    session: SessionId;
    /**  Markdown. */
    plan: string;
};
/**  A platform's own name for a message, made by the channel plugin.  */
export type PlatformMessageId = string;
/**  A plugin, as its manifest names it: `[a-z0-9-]+`; for a further account of a channel `plugin@account`.  */
export type PluginId = string;
/**  Limits a manifest may lower. */
export type PluginLimits = {
    /**  JavaScript heap in MiB. */
    memoryMb?: number | null;
    /**  CPU milliseconds per minute. */
    cpuMsPerMinute?: number | null;
    /**  HTTP requests and sockets per minute. */
    requestsPerMinute?: number | null;
    /**  HTTP requests and sockets per day, from midnight UTC. */
    requestsPerDay?: number | null;
    /**  Times timers and schedules may wake the plugin per minute. */
    wakeupsPerMinute?: number | null;
};
/**  `kata-plugin.json`, or the `kata-agents` field of `package.json`. */
export type PluginManifest = {
    /**  For editors; ignored. */
    $schema?: string | null;
    /**  `[a-z0-9-]+`. */
    id: PluginId;
    /**  Name to show. */
    name: string;
    /**  Version. */
    version: string;
    /**  One sentence. */
    description?: string;
    /**  Emoji or file in the folder. */
    icon?: string | null;
    /**  Major version of the plugin API: `"1"`. */
    api: string;
    /**  Module to load; default `index.ts`, then `index.js`. */
    main?: string | null;
    /**  What the module registers; anything else it registers is refused. */
    contributes?: Contributes;
    /**  What it may reach, e.g. `net:api.telegram.org`, `secret:botToken`, `hooks:conversation`. */
    capabilities?: string[];
    /**  JSON Schema of its settings; the window draws a form from it. */
    settings?: Json | null;
    /**  Limits below the host's own. */
    limits?: PluginLimits;
};
/**
 *  What a press led to. The plugin shows `text` to the person who pressed, where the platform can, and takes the buttons away
 *  when `done`.
 */
export type PressAnswer = {
    /**  One sentence for the person who pressed. */
    text: string;
    /**  Whether the question is settled. The host then edits the message with the outcome where the channel can edit. */
    done: boolean;
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
/**  A ratio or an amount of money; never NaN or infinite. */
export type Real = number;
/**  What the platform said of a delivered message. */
export type Receipt = {
    /**  Ids of the messages that came of it, in order. */
    messageIds: PlatformMessageId[];
};
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
/**  Where a reply goes. Made from an admitted message only; a reply cannot name another conversation. */
export type ReplyRoute = {
    /**  Channel. */
    channel: ChannelId;
    /**  Account of the channel. */
    account: AccountId;
    /**  Conversation. */
    conversation: ConversationId;
    /**  Thread or topic. */
    thread?: ThreadId | null;
    /**  The message that is answered. */
    replyTo?: PlatformMessageId | null;
};
/**  One thing a person should know before they open the channel to others. */
export type SecurityWarning = {
    /**  Short and stable. */
    code: string;
    /**  One sentence. */
    message: string;
};
/**  Why a send failed. */
export type SendError = {
    /**  Reason. */
    code: SendErrorCode;
    /**  For a person; no message text, no token. */
    message: string;
    /**  How long to wait before the next attempt, in milliseconds. */
    retryAfterMs?: number | null;
    /**  True when nothing reached the platform. False: bytes may have left. */
    certain: boolean;
};
/**  Closed set of reasons why a send failed. */
export type SendErrorCode = 
/**  Too fast; `retry_after_ms` says how long to wait. */
"rate_limited" | 
/**  The token is wrong or revoked. */
"unauthorized" | 
/**  The conversation does not exist. */
"not_found" | 
/**  The bot may not write there. */
"forbidden" | 
/**  The platform refuses the content. */
"invalid" | 
/**  The platform cannot be reached. */
"unreachable";
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
/**  The channel conversation a session belongs to. */
export type SessionChannel = {
    /**  Plugin's channel id (`telegram`). */
    adapter: string;
    /**  Configuration the channel runs under. */
    slug: string;
    /**  Name to show. */
    displayName?: string | null;
};
/**  `session_end`. */
export type SessionEnd = {
    /**  Session. */
    session: SessionId;
    /**  Why. */
    reason: SessionEndReason;
};
/**  Why a session ended. */
export type SessionEndReason = 
/**  Nobody wrote for a while and it was let go from memory; it goes on with the next message. */
"idle" | 
/**  A new session took its place in the conversation. */
"reset" | 
/**  A person put it away. */
"archived" | 
/**  The engine stops. */
"shutdown";
/**  Folder name of a session, `YYMMDD-adjective-noun[-n]`.  */
export type SessionId = string;
/**  `session_start`. */
export type SessionStart = {
    /**  Session. */
    session: SessionId;
    /**  Workspace. */
    workspace: WorkspaceId;
    /**  Whether it was loaded from disk. */
    resumed: boolean;
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
/**  An answer as far as it is written. Not durable, and never for a session whose replies a `message_sending` hook may change. */
export type StreamPreview = {
    /**  Where to. */
    route: ReplyRoute;
    /**  Markdown so far, cut to the channel's limit. */
    text: string;
    /**  The same for every preview of one answer. */
    key: string;
    /**  What the preview before it returned; absent for the first. */
    messageId: PlatformMessageId | null;
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
/**  One message's life through the gates.  */
export type TraceId = string;
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
/**  Folder name of a workspace under `workspaces/`.  */
export type WorkspaceId = string;
