// What is there: bots, people, servers, channels, messages. Objects have the fields that Discord's have, as far as the official
// libraries read them. No network here.

const EPOCH = 1_420_070_400_000n;
let last = 0n;

/** Ids that grow, also within one millisecond. */
export function snowflake(at = Date.now()) {
  const id = (BigInt(at) - EPOCH) << 22n;
  last = id > last ? id : last + 1n;
  return String(last);
}

const user = (id, username, more = {}) => ({
  id, username, global_name: null, discriminator: "0", avatar: null, public_flags: 0, flags: 0, bot: false, system: false, ...more,
});

const textChannel = (id, guild, name, position, more = {}) => ({
  id, type: 0, guild_id: guild, name, position, permission_overwrites: [], parent_id: null, nsfw: false, topic: null, last_message_id: null,
  rate_limit_per_user: 0, flags: 0, ...more,
});

/** Two bots, each in a server of its own, and two people who are in both. */
export class World {
  users = new Map();
  guilds = new Map();
  channels = new Map();
  /** Channel to messages, oldest first. */
  messages = new Map();
  /** Bot token to bot. */
  bots = new Map();
  files = new Map();

  constructor() {
    for (const [index, name] of ["kata", "other"].entries()) {
      const id = `20000000000000000${index}`;
      const bot = user(id, name, { bot: true, global_name: name === "kata" ? "Kata" : "Other" });
      const guildId = `30000000000000000${index}`;
      const role = { id: `60000000000000000${index}`, name: bot.global_name, permissions: "0", position: 1, color: 0, colors: { primary_color: 0 }, hoist: false, managed: true, mentionable: false, flags: 0, tags: { bot_id: id } };
      const everyone = { ...role, id: guildId, name: "@everyone", managed: false, position: 0, permissions: "274878008384", tags: undefined };
      const guild = {
        id: guildId, name: `Server ${index + 1}`, owner_id: "100000000000000001", icon: null, splash: null, discovery_splash: null, banner: null,
        afk_channel_id: null, afk_timeout: 300, verification_level: 0, default_message_notifications: 0, explicit_content_filter: 0, mfa_level: 0, nsfw_level: 0,
        roles: [everyone, role], emojis: [], stickers: [], features: [], application_id: null, system_channel_id: null, system_channel_flags: 0, rules_channel_id: null,
        public_updates_channel_id: null, premium_tier: 0, premium_subscription_count: 0, premium_progress_bar_enabled: false, preferred_locale: "en-US", vanity_url_code: null,
        description: null, safety_alerts_channel_id: null, joined_at: "2024-01-01T00:00:00.000000+00:00", large: false, unavailable: false, member_count: 3, permissions: "274878008384",
      };
      this.users.set(id, bot);
      this.guilds.set(guildId, guild);
      this.bots.set(`token-of-${name}`, { token: `token-of-${name}`, user: bot, guild: guildId, flags: (1 << 18) | (1 << 19), application: id, commands: [], revoked: false });
      for (const [at, channel] of ["general", "work"].entries()) {
        const made = textChannel(`4${index}000000000000000${at}`, guildId, channel, at);
        this.channels.set(made.id, made);
      }
    }
    for (const [id, name, shown] of [["100000000000000001", "ada", "Ada"], ["100000000000000002", "bob", "Bob"]]) this.users.set(id, user(id, name, { global_name: shown }));
    // A crowd, for those who would be taken for a machine alone.
    for (let n = 0; n < 30; n += 1) this.users.set(`1000000000000001${String(n).padStart(2, "0")}`, user(`1000000000000001${String(n).padStart(2, "0")}`, `person${n}`, { global_name: `Person ${n}` }));
  }

  bot(id) {
    return [...this.bots.values()].find((one) => one.user.id === id);
  }

  member(guild, id) {
    return { user: this.users.get(id), nick: null, avatar: null, roles: [], joined_at: "2024-01-01T00:00:00.000000+00:00", premium_since: null, deaf: false, mute: false, flags: 0, pending: false, communication_disabled_until: null };
  }

  /** The whole server, as an event tells it. */
  guildCreate(id) {
    const all = [...this.channels.values()].filter((channel) => channel.guild_id === id);
    return {
      ...this.guilds.get(id),
      channels: all.filter((channel) => channel.type === 0),
      threads: all.filter((channel) => channel.type === 11),
      members: [...this.users.values()].filter((one) => !one.bot || this.bot(one.id)?.guild === id).map((one) => this.member(id, one.id)),
      presences: [], voice_states: [], stage_instances: [], guild_scheduled_events: [], soundboard_sounds: [],
    };
  }

  /** Bots that see a channel. */
  readers(channel) {
    return [...this.bots.values()].filter((bot) => (channel.guild_id ? bot.guild === channel.guild_id : channel.recipients?.some((one) => one.id === bot.user.id) || channel.owner === bot.user.id));
  }

  direct(bot, person) {
    const id = `5${bot.user.id.slice(-1)}${person.slice(-16)}`;
    if (!this.channels.has(id)) this.channels.set(id, { id, type: 1, last_message_id: null, recipients: [this.users.get(person)], owner: bot.user.id, flags: 0 });
    return this.channels.get(id);
  }

  thread(parent, name, id = snowflake()) {
    const made = {
      id, type: 11, guild_id: parent.guild_id, parent_id: parent.id, name, owner_id: "100000000000000001", last_message_id: null, message_count: 0, member_count: 1, rate_limit_per_user: 0, flags: 0, total_message_sent: 0,
      thread_metadata: { archived: false, auto_archive_duration: 1440, archive_timestamp: new Date().toISOString(), locked: false, create_timestamp: new Date().toISOString() },
    };
    this.channels.set(made.id, made);
    return made;
  }

  list(channel) {
    let list = this.messages.get(channel);
    if (list === undefined) this.messages.set(channel, (list = []));
    return list;
  }

  find(channel, id) {
    return this.list(channel).find((message) => message.id === id);
  }

  /** Makes a message and keeps it. */
  write(channel, author, body) {
    const message = this.compose(channel, author, body);
    this.list(channel.id).push(message);
    channel.last_message_id = message.id;
    return message;
  }

  /** A message as its reader gets it, in no channel's history: an answer that only one person sees. */
  compose(channel, author, body) {
    const id = snowflake();
    const mentioned = [...new Set([...`${body.content ?? ""}`.matchAll(/<@!?(\d+)>/g)].map((found) => found[1]))].filter((one) => this.users.has(one));
    const replied = body.message_reference?.message_id;
    const original = replied === undefined ? undefined : this.find(channel.id, replied);
    return {
      id, channel_id: channel.id, type: original === undefined ? 0 : 19, author: this.users.get(author), content: body.content ?? "", timestamp: new Date().toISOString(), edited_timestamp: null,
      tts: false, mention_everyone: false, mentions: mentioned.map((one) => this.users.get(one)), mention_roles: [], mention_channels: [], attachments: body.attachments ?? [], embeds: body.embeds ?? [],
      components: body.components ?? [], pinned: false, flags: body.flags ?? 0, reactions: [],
      ...(original === undefined ? {} : { message_reference: { type: 0, message_id: replied, channel_id: channel.id, guild_id: channel.guild_id }, referenced_message: original }),
    };
  }
}
