//! serenity, Discord's library for Rust that others wrote, against our stand-in for Discord: `judge-serenity TOLD`, where TOLD is the JSON
//! line that `tests/peers/discord/fake.mjs` prints. Neighbours: `judge.mjs` (discord.js) and `judge.py` (discord.py), which ask the same.
//! serenity needs no shim here; against crabline it would, which refuses `Bot ` before the token.

use serde_json::{Value, json};
use serenity::all::*;
use std::time::Duration;
use tokio::sync::{Mutex, mpsc};

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// What came over the gateway.
#[derive(Debug)]
enum Heard {
    Ready(Ready),
    Resumed,
    Said(Message),
    Deleted(MessageId),
    Reacted(Reaction),
    Acted(Interaction),
}

struct Ears(mpsc::Sender<Heard>);

impl Ears {
    async fn hear(&self, what: Heard) {
        let _ = self.0.send(what).await;
    }
}

#[async_trait]
impl EventHandler for Ears {
    async fn ready(&self, _: Context, ready: Ready) {
        self.hear(Heard::Ready(ready)).await;
    }
    async fn resume(&self, _: Context, _: ResumedEvent) {
        self.hear(Heard::Resumed).await;
    }
    async fn message(&self, _: Context, message: Message) {
        self.hear(Heard::Said(message)).await;
    }
    async fn message_delete(&self, _: Context, _: ChannelId, id: MessageId, _: Option<GuildId>) {
        self.hear(Heard::Deleted(id)).await;
    }
    async fn reaction_add(&self, _: Context, reaction: Reaction) {
        self.hear(Heard::Reacted(reaction)).await;
    }
    async fn interaction_create(&self, _: Context, interaction: Interaction) {
        self.hear(Heard::Acted(interaction)).await;
    }
}

/// The stand-in, as the person at its admin port has it.
struct Stage {
    told: Value,
    http: reqwest::Client,
    heard: Mutex<mpsc::Receiver<Heard>>,
}

impl Stage {
    fn text(&self, pointer: &str) -> &str {
        self.told.pointer(pointer).and_then(Value::as_str).unwrap_or_else(|| panic!("{pointer} in {}", self.told))
    }

    async fn tell(&self, name: &str, body: Value) -> Result<Value, Failure> {
        let answer = self.http.post(format!("{}/{name}", self.text("/adminUrl"))).json(&body).send().await?;
        Ok(answer.error_for_status()?.json().await?)
    }

    async fn look(&self, name: &str) -> Result<Value, Failure> {
        Ok(self.http.get(format!("{}/{name}", self.text("/adminUrl"))).send().await?.json().await?)
    }

    /// The next of what came that `pick` takes.
    async fn next<T>(&self, what: &str, pick: impl Fn(Heard) -> Option<T>) -> Result<T, Failure> {
        let wait = async {
            let mut heard = self.heard.lock().await;
            while let Some(one) = heard.recv().await {
                if let Some(found) = pick(one) {
                    return Ok(found);
                }
            }
            Err(format!("{what}: the gateway is closed").into())
        };
        tokio::time::timeout(Duration::from_secs(20), wait).await.map_err(|_| format!("{what} did not come"))?
    }
}

fn http(stage: &Stage, token: &str) -> Http {
    let base = stage.text("/apiRoot").trim_end_matches("/api").to_owned();
    // Its rate limiter asks Discord's own address whatever the proxy is.
    HttpBuilder::new(token).proxy(base).ratelimiter_disabled(true).build()
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let told: Value = serde_json::from_str(&std::env::args().nth(1).ok_or("say what the stand-in told")?)?;
    let (ears, heard) = mpsc::channel(64);
    let stage = Stage { told, http: reqwest::Client::builder().no_proxy().build()?, heard: Mutex::new(heard) };
    let (token, bot) = (stage.text("/bots/0/token").to_owned(), stage.text("/bots/0/id").parse::<UserId>()?);
    let general = stage.text("/bots/0/channels/general").parse::<ChannelId>()?;

    let intents = GatewayIntents::GUILDS | GatewayIntents::GUILD_MESSAGES | GatewayIntents::MESSAGE_CONTENT | GatewayIntents::DIRECT_MESSAGES | GatewayIntents::GUILD_MESSAGE_REACTIONS;
    let mut client = ClientBuilder::new_with_http(http(&stage, &token), intents).event_handler(Ears(ears)).await?;
    let (to, shards) = (client.http.clone(), client.shard_manager.clone());
    let running = tokio::spawn(async move { client.start().await.inspect_err(|error| eprintln!("the client ended: {error:?}")) });
    let ready = stage.next("READY", |one| if let Heard::Ready(ready) = one { Some(ready) } else { None }).await?;
    assert_eq!(ready.user.id, bot);
    let said = |words: &'static str| move |one| if let Heard::Said(message) = one { Some(message).filter(|message| message.content.contains(words)) } else { None };

    // A message of a person, answered by a reply with a button; the same nonce is the same message.
    let told = stage.tell("say", json!({ "channel": general, "user": "ada", "content": format!("<@{bot}> hello") })).await?;
    let message = stage.next("a message", said("hello")).await?;
    assert_eq!((json!(message.id), message.author.name.as_str()), (told["id"].clone(), "ada"));
    assert!(message.mentions.iter().any(|user| user.id == bot) && message.guild_id.is_some());
    message.channel_id.broadcast_typing(&to).await?;
    let answer = || {
        let button = CreateButton::new("k:yes").label("Yes").style(ButtonStyle::Primary);
        let mut message = CreateMessage::new().content("an answer").reference_message(&message).button(button);
        message = message.nonce(Nonce::String("serenity-1".into())).enforce_nonce(true);
        message.allowed_mentions(CreateAllowedMentions::new())
    };
    let mut reply = general.send_message(&to, answer()).await?;
    assert_eq!(reply.message_reference.as_ref().and_then(|one| one.message_id), Some(message.id));
    assert_eq!(general.send_message(&to, answer()).await?.id, reply.id, "the same nonce gives the same message");

    // The button, whose message changes; a slash command, answered late and quietly.
    stage.tell("press", json!({ "channel": general, "message": reply.id, "button": "k:yes", "user": "ada" })).await?;
    let acted = |one| if let Heard::Acted(interaction) = one { Some(interaction) } else { None };
    let press = stage.next("a press", acted).await?.message_component().ok_or("no component")?;
    assert_eq!((press.data.custom_id.as_str(), press.user.name.as_str()), ("k:yes", "ada"));
    let settled = CreateInteractionResponseMessage::new().content("settled").components(Vec::new());
    press.create_response(&to, CreateInteractionResponse::UpdateMessage(settled)).await?;
    to.set_application_id(ready.application.id);
    Command::create_global_command(&to, CreateCommand::new("new").description("Begin anew.")).await?;
    stage.tell("command", json!({ "channel": general, "name": "new", "user": "bob" })).await?;
    let order = stage.next("a command", acted).await?.command().ok_or("no command")?;
    assert_eq!(order.data.name, "new");
    order.defer_ephemeral(&to).await?;
    order.edit_response(&to, EditInteractionResponse::new().content("done")).await?;
    let answers = stage.look("answers").await?;
    assert_eq!((&answers[0]["first"]["type"], &answers[1]["first"]["type"], &answers[1]["edited"]["content"]), (&json!(7), &json!(5), &json!("done")));

    // Reactions, edits, threads, files, history, removal, what is too long, and a conversation between two.
    stage.tell("react", json!({ "channel": general, "id": reply.id, "emoji": "👍", "user": "bob" })).await?;
    let reaction = stage.next("a reaction", |one| if let Heard::Reacted(reaction) = one { Some(reaction) } else { None }).await?;
    assert_eq!((reaction.message_id, reaction.emoji), (reply.id, ReactionType::Unicode("👍".into())));
    reply.react(&to, '🎉').await?;
    reply.edit(&to, EditMessage::new().content("changed")).await?;
    assert_eq!(general.message(&to, reply.id).await?.content, "changed");
    let thread = general.create_thread_from_message(&to, message.id, CreateThread::new("a thread")).await?;
    assert_eq!(thread.parent_id, Some(general));
    let file = CreateAttachment::bytes("bytes".as_bytes(), "note.txt");
    let sent = thread.id.send_message(&to, CreateMessage::new().content("with a file").add_file(file)).await?;
    let back = stage.http.get(&sent.attachments[0].url).send().await?.bytes().await?;
    assert_eq!(&back[..], b"bytes");
    let history = general.messages(&to, GetMessages::new().limit(10)).await?;
    assert!(history.iter().any(|one| one.id == message.id));
    reply.delete(&to).await?;
    let gone = reply.id;
    stage.next("a removal", |one| matches!(one, Heard::Deleted(id) if id == gone).then_some(())).await?;
    let long = to.send_message(general, Vec::new(), &json!({ "content": "x".repeat(2001) })).await;
    let Err(serenity::Error::Http(HttpError::UnsuccessfulRequest(refused))) = long else { panic!("2,001 characters were taken") };
    assert_eq!(refused.error.code, 50035);
    stage.tell("say", json!({ "direct": "kata", "user": "ada", "content": "between us" })).await?;
    assert!(stage.next("a direct message", said("between us")).await?.guild_id.is_none());

    // A 429 is read as one; a connection that is sent away or breaks comes back with what it missed.
    stage.tell("fault", json!({ "rest": { "match": "POST /channels/:id/messages", "status": 429, "retryAfter": 0.3 } })).await?;
    let Err(serenity::Error::Http(HttpError::UnsuccessfulRequest(refused))) = general.say(&to, "too fast").await else { panic!("a 429 was taken for an answer") };
    assert_eq!(refused.status_code.as_u16(), 429);
    for (kind, words) in [("op7", "after it was sent away"), ("drop", "while it was away")] {
        stage.tell("fault", json!({ "kind": kind })).await?;
        stage.tell("say", json!({ "channel": general, "user": "ada", "content": words })).await?;
        stage.next(words, said(words)).await?;
    }
    let seen = stage.look("seen").await?;
    assert_eq!((&seen["identifies"], &seen["resumes"]), (&json!(1), &json!(2)), "{seen}");
    shards.shutdown_all().await;
    running.await??;

    // What Discord refuses is refused.
    let (ears, _deaf) = mpsc::channel(64);
    stage.tell("set", json!({ "flags": 0 })).await?;
    let mut other = ClientBuilder::new_with_http(http(&stage, &token), intents).event_handler(Ears(ears.clone())).await?;
    let refused = tokio::time::timeout(Duration::from_secs(20), other.start()).await.map_err(|_| "nobody was told that the intents are off")?;
    assert!(matches!(refused, Err(serenity::Error::Gateway(GatewayError::DisallowedGatewayIntents))), "{refused:?}");
    // It asks for the gateway's address while it is made, and takes Discord's own where it is refused.
    let mut other = ClientBuilder::new_with_http(http(&stage, &token), intents).event_handler(Ears(ears)).await?;
    stage.tell("set", json!({ "revoked": true })).await?;
    let refused = tokio::time::timeout(Duration::from_secs(20), other.start()).await.map_err(|_| "nobody was told that the token counts no more")?;
    assert!(refused.is_err(), "a revoked token gets in");
    println!("serenity takes the stand-in for Discord");
    Ok(())
}
