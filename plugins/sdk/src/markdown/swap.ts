/** Replacing a text by another, at the speed of native code also inside the sandbox, where `replaceAll` is a loop in bytecode. */

/** `text` with each `from` as `to`. */
export function swap(text: string, from: string, to: string): string {
  return text.includes(from) ? text.split(from).join(to) : text;
}
