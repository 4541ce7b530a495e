/** Where a person writes. Enter sends, Shift+Enter breaks the line, Esc stops. */
import { ArrowUp, ChevronDown, Square } from "lucide-react";
import { type KeyboardEvent, type ReactNode, useLayoutEffect, useRef, useState } from "react";
import { IconButton } from "@/components/Button";
import { Menu, MenuItem } from "@/components/Menu";
import { useAct } from "@/data/operations";
import type { Delivery, PermissionMode, SessionSummary } from "@/generated/protocol";
import type { Command } from "./commands";
import { draftOf, forgetLink, keepDraft, linkedDraft } from "./drafts";
import { usePhone } from "@/shell/usePhone";
import { AttachButton, FileChips } from "./FileChips";
import { LinkBanner } from "./LinkBanner";
import { MentionMenu } from "./MentionMenu";
import { SlashMenu } from "./SlashMenu";
import { useFiles } from "./useFiles";
import { useMentions } from "./useMentions";
import { useSlashMenu } from "./useSlashMenu";

const DELIVERIES: Record<Delivery, { label: string; note: string }> = {
  queue: { label: "Queue", note: "After the present turn." },
  steer: { label: "Steer", note: "Into the present turn, between tool calls." },
  interrupt: { label: "Interrupt", note: "Stops the present turn first." },
};

const HEIGHT_MAX_PX = 240;
/** A paste longer than this goes as a file: nobody edits it in here. */
const PASTE_MAX = 8_000;
const MODES: readonly PermissionMode[] = ["safe", "ask", "allow-all"];

interface ComposerProps {
  session: SessionSummary;
  busy: boolean;
  queued: number;
  disabled: boolean;
  footer: ReactNode;
  /** Offered when a text begins with a slash. */
  commands: readonly Command[];
  /** Resolves to whether it was taken; the text stays where it was not. */
  onSend: (text: string, delivery: Delivery, files: readonly File[]) => Promise<boolean>;
  onStop: () => void;
}

export function Composer({ session, busy, queued, disabled, footer, commands, onSend, onStop }: ComposerProps) {
  const [text, setText] = useState(() => draftOf(session.id));
  const [linked, setLinked] = useState(() => linkedDraft(session.id));
  const [delivery, setDelivery] = useState<Delivery>("queue");
  const phone = usePhone();
  const area = useRef<HTMLTextAreaElement>(null);
  const attached = useFiles();

  useLayoutEffect(() => {
    const element = area.current;
    if (element === null) return;
    element.style.height = "auto";
    if (text !== "") element.style.height = `${Math.min(element.scrollHeight, HEIGHT_MAX_PX)}px`;
  }, [text]);

  const change = (next: string) => {
    setText(next);
    keepDraft(session.id, next);
    if (next !== "" || linked === null) return;
    forgetLink();
    setLinked(null);
  };

  const menu = useSlashMenu(commands, text, change);
  const mentions = useMentions(session, text, change, area);
  const { mutate: update } = useAct("session.update");

  const send = async () => {
    const words = text.trim();
    const { files } = attached;
    if ((words === "" && files.length === 0) || disabled) return;
    change("");
    attached.clear();
    const taken = await onSend(words, delivery, files);
    if (taken) return;
    change(words);
    attached.add(files);
  };

  const onKeyDown = (event: KeyboardEvent<HTMLTextAreaElement>) => {
    if (menu.onKey(event) || mentions.onKey(event)) return;
    // In a text Shift+Tab goes back to where one came from, as everywhere.
    if (event.key === "Tab" && event.shiftKey && text === "") {
      event.preventDefault();
      update({ id: session.id, mode: MODES[(MODES.indexOf(session.mode) + 1) % MODES.length] ?? "ask" });
      return;
    }
    if (event.key === "Enter" && !event.shiftKey && !event.nativeEvent.isComposing) {
      event.preventDefault();
      void send();
    }
  };

  return (
    <div
      onDragOver={(event) => event.preventDefault()}
      onDrop={(event) => {
        event.preventDefault();
        attached.add(event.dataTransfer.files);
      }}
      className="relative rounded-xl border border-line-strong bg-raised shadow-[0_1px_3px_rgb(0_0_0/0.05)] focus-within:border-accent"
    >
      {linked !== null && <LinkBanner cut={linked.cut} onDiscard={() => change("")} />}
      {menu.shown.length > 0 && <SlashMenu id={menu.id} commands={menu.shown} active={menu.active} onChoose={menu.choose} />}
      {menu.shown.length === 0 && mentions.shown.length > 0 && <MentionMenu id={mentions.id} label={mentions.label} mentions={mentions.shown} active={mentions.active} onChoose={mentions.choose} />}
      <FileChips {...attached} />
      <textarea
        ref={area}
        {...menu.aria}
        {...mentions.aria}
        data-testid="composer"
        aria-label="Message"
        placeholder={busy ? "Add to what the agent is doing" : phone ? "Ask, or give it something to do" : "Ask, or give it something to do; / commands, @ files, # labels"}
        rows={1}
        value={text}
        onChange={(event) => {
          change(event.target.value);
          mentions.onCaret(event.target.selectionStart);
        }}
        onSelect={(event) => mentions.onCaret(event.currentTarget.selectionStart)}
        onKeyDown={onKeyDown}
        onPaste={(event) => {
          const pasted = event.clipboardData.getData("text/plain");
          if (event.clipboardData.files.length > 0) attached.add(event.clipboardData.files);
          else if (pasted.length > PASTE_MAX) attached.add([new File([pasted], "pasted.txt", { type: "text/plain" })]);
          else return;
          event.preventDefault();
        }}
        className="selectable block max-h-60 w-full resize-none bg-transparent px-3.5 pt-3 pb-1 text-[0.875rem] leading-[1.4375rem] outline-none placeholder:overflow-hidden placeholder:text-ellipsis placeholder:whitespace-nowrap placeholder:text-faint"
      />
      <div className="@container flex h-10 items-center gap-1 px-2">
        <AttachButton add={attached.add} disabled={disabled} />
        <div className="flex min-w-0 flex-1 items-center gap-1">{footer}</div>
        {queued > 0 && <span className="text-sm text-faint">{queued} queued</span>}
        {busy && (
          <Menu
            label="What happens with a message now"
            align="end"
            trigger={
              <button type="button" className="flex h-7 items-center gap-1 rounded-md px-2 text-sm text-muted hover:bg-hover">
                {DELIVERIES[delivery].label}
                <ChevronDown aria-hidden className="size-3" />
              </button>
            }
          >
            {(Object.keys(DELIVERIES) as Delivery[]).map((each) => (
              <MenuItem key={each} checked={each === delivery} note={DELIVERIES[each].note} onSelect={() => setDelivery(each)}>
                {DELIVERIES[each].label}
              </MenuItem>
            ))}
          </Menu>
        )}
        {busy && (
          <IconButton label="Stop" keys="Esc" data-testid="stop" className="bg-hover" onClick={onStop}>
            <Square className="size-3 fill-current" />
          </IconButton>
        )}
        <IconButton
          label="Send"
          keys="Enter"
          data-testid="send"
          disabled={disabled || (text.trim() === "" && attached.files.length === 0)}
          look="primary"
          onClick={() => void send()}
        >
          <ArrowUp className="size-4" />
        </IconButton>
      </div>
    </div>
  );
}
