/** What is offered behind `@` and `#`, which of it Enter takes, and what the keys do meanwhile. */
import { type KeyboardEvent, type RefObject, useId, useState } from "react";
import { useAct, useRead } from "@/data/operations";
import { useWorkspace } from "@/data/workspace";
import type { SessionSummary } from "@/generated/protocol";
import { type Mention, mentionId } from "./MentionMenu";
import { ranked, typedMention, withMention } from "./mentions";

/** Of each kind; more would push the others out of sight. */
const EACH = 8;

interface Mentions {
  id: string;
  label: string;
  shown: readonly Mention[];
  active: number;
  aria: Record<string, string>;
  choose: (mention: Mention) => void;
  /** Whether the key was for the menu. */
  onKey: (event: KeyboardEvent) => boolean;
  /** The caret went somewhere. */
  onCaret: (caret: number) => void;
}

export function useMentions(session: SessionSummary, text: string, setText: (text: string) => void, area: RefObject<HTMLTextAreaElement | null>): Mentions {
  const id = useId();
  const [caret, setCaret] = useState(0);
  const [at, setAt] = useState(0);
  const [closedFor, setClosedFor] = useState<string | null>(null);
  const typed = closedFor === text ? null : typedMention(text, Math.min(caret, text.length));
  const offered = useOffered(session, typed?.sign ?? null, typed?.query ?? "");
  const shown = typed === null ? [] : offered;
  const active = Math.min(at, shown.length - 1);
  const chosen = shown[active];
  const { mutate: update } = useAct("session.update");

  const choose = (mention: Mention) => {
    if (typed === null) return;
    if (mention.kind === "label") {
      const own = mention.id.split("::")[0] ?? mention.id;
      const without = session.labels.filter((label) => label !== own && !label.startsWith(`${own}::`));
      update({ id: session.id, labels: mention.on === true ? without : [...without, mention.id] });
    }
    const word = mention.kind === "label" ? "" : mention.kind === "file" || mention.kind === "folder" ? `@${mention.id}` : `@${mention.name}`;
    const next = withMention(text, typed, mention.kind === "skill" ? `@${mention.id}` : word);
    setText(next.text);
    setAt(0);
    setCaret(next.caret);
    requestAnimationFrame(() => area.current?.setSelectionRange(next.caret, next.caret));
  };
  const onKey = (event: KeyboardEvent): boolean => {
    if (chosen === undefined || event.nativeEvent.isComposing) return false;
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (step !== 0) setAt((active + step + shown.length) % shown.length);
    else if (event.key === "Escape") setClosedFor(text);
    else if ((event.key === "Tab" || event.key === "Enter") && !event.shiftKey) choose(chosen);
    else return false;
    event.preventDefault();
    return true;
  };
  const label = typed?.sign === "#" ? "Labels" : "Files, skills and sources";
  return { id, label, shown, active, aria: chosen === undefined ? {} : { "aria-controls": id, "aria-activedescendant": mentionId(id, chosen) }, choose, onKey, onCaret: setCaret };
}

function useOffered(session: SessionSummary, sign: "@" | "#" | null, query: string): readonly Mention[] {
  const { workspace } = useWorkspace();
  const named = sign === "@";
  const files = useRead("file.find", { session: session.id, query }, { enabled: named, fresh: true }).data ?? [];
  const skills = useRead("skill.list", { id: session.workspace }, { enabled: named }).data ?? [];
  const sources = useRead("source.list", {}, { enabled: named }).data ?? [];
  if (sign === "#") {
    const [name = "", value = ""] = query.split(":", 2);
    return ranked(workspace?.labels ?? [], name, (label) => label.name).map((label): Mention => {
      const on = session.labels.find((one) => one === label.id || one.startsWith(`${label.id}::`));
      const valued = label.valueType !== null;
      const id = valued && value !== "" ? `${label.id}::${value}` : label.id;
      return { kind: "label", id, name: value === "" || !valued ? label.name : `${label.name}: ${value}`, note: valued && value === "" ? `#${label.name.toLowerCase()}:… gives it a ${label.valueType ?? "value"}` : "", on: on === id };
    });
  }
  const of = sources.filter((source) => source.kind !== "channel" && (source.workspace === null || source.workspace === session.workspace));
  return [
    ...ranked(skills.filter(({ error }) => error === null), query, ({ slug, name }) => `${slug} ${name}`).slice(0, EACH).map(({ slug, name, description }): Mention => ({ kind: "skill", id: slug, name, note: description })),
    ...ranked(of, query, ({ name }) => name).slice(0, EACH).map(({ id, name, tagline }): Mention => ({ kind: "source", id, name, note: tagline ?? "" })),
    ...files.slice(0, EACH * 2).map(({ path, folder }): Mention => ({ kind: folder ? "folder" : "file", id: path, name: path.split("/").at(-1) ?? path, note: path.includes("/") ? path.slice(0, path.lastIndexOf("/")) : "" })),
  ];
}
