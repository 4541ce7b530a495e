/** Emoji by the names Slack knows them by. It takes no characters: what is not here goes by a name of its own, or not at all. */

const NAMES: Readonly<Record<string, string>> = {
  "👍": "+1", "👎": "-1", "❤": "heart", "🔥": "fire", "🎉": "tada", "😀": "grinning", "😂": "joy", "😄": "smile", "😊": "blush", "😍": "heart_eyes",
  "😢": "cry", "😭": "sob", "😮": "open_mouth", "😱": "scream", "😡": "rage", "🤔": "thinking_face", "🙏": "pray", "👏": "clap", "🙌": "raised_hands",
  "👀": "eyes", "✅": "white_check_mark", "☑": "ballot_box_with_check", "✔": "heavy_check_mark", "❌": "x", "⚠": "warning", "❗": "exclamation",
  "❓": "question", "⏳": "hourglass_flowing_sand", "⌛": "hourglass", "🚀": "rocket", "💯": "100", "💡": "bulb", "🐛": "bug", "🔒": "lock", "🔧": "wrench",
  "⭐": "star", "✨": "sparkles", "💪": "muscle", "👋": "wave", "🤝": "handshake", "👌": "ok_hand", "🆗": "ok", "🙂": "slightly_smiling_face",
  "🙁": "slightly_frowning_face", "😉": "wink", "😅": "sweat_smile", "🤣": "rolling_on_the_floor_laughing", "🤷": "shrug", "🤖": "robot_face",
  "📎": "paperclip", "📝": "memo", "📌": "pushpin", "🔍": "mag", "⏰": "alarm_clock", "🛑": "octagonal_sign", "🟢": "large_green_circle",
  "🔴": "red_circle", "🟡": "large_yellow_circle", "➕": "heavy_plus_sign", "➖": "heavy_minus_sign",
};

/** Slack's name of an emoji, given as a character or as a name with or without colons. */
export function emojiName(emoji: string): string | undefined {
  const named = /^:?([a-z0-9_+'-]{1,100}(?:::skin-tone-[2-6])?):?$/.exec(emoji);
  if (named !== null) return named[1];
  const skin = /[\u{1f3fb}-\u{1f3ff}]/u.exec(emoji);
  const plain = NAMES[emoji.replace(/[\u{1f3fb}-\u{1f3ff}\ufe0f]/gu, "")];
  if (plain === undefined || skin === null) return plain;
  return `${plain}::skin-tone-${(skin[0].codePointAt(0) ?? 0) - 0x1f3fb + 2}`;
}
