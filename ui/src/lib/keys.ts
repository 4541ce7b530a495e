/** Keyboard, once: what the shortcuts are and how they are written on this platform. */
const mac = typeof navigator !== "undefined" && /mac|iphone|ipad/i.test(navigator.userAgent);

/** The modifier as people know it. */
export const MOD = mac ? "⌘" : "Ctrl+";

export const isMod = (event: KeyboardEvent): boolean => (mac ? event.metaKey : event.ctrlKey) && !event.altKey;

/** Whether keys belong to a field right now. */
export function inField(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(target.tagName));
}

export const SHORTCUTS: readonly { group: string; rows: readonly (readonly [keys: string, does: string])[] }[] = [
  {
    group: "Everywhere",
    rows: [
      [`${MOD}K`, "Find a command, session or source"],
      [`${MOD}N`, "New session"],
      [`${MOD}1  ${MOD}2  ${MOD}3`, "Sidebar, list, content"],
      [`${MOD}[  ${MOD}]`, "Back, forward"],
      [`${MOD},`, "Settings"],
      [`${MOD}\\`, "Show or hide the sidebar"],
      [`${MOD}/`, "This sheet"],
    ],
  },
  {
    group: "Go to",
    rows: [
      ["G A", "All sessions"],
      ["G W", "Needs you"],
      ["G O", "Sources"],
      ["G K", "Skills"],
      ["G P", "Plugins"],
      ["G R", "Routing"],
      ["G H", "Hooks"],
      ["G T", "Traces"],
      ["G U", "Undelivered"],
      ["G S", "Settings"],
    ],
  },
  {
    group: "Session list",
    rows: [
      ["↑  ↓", "Previous, next session"],
      ["Home  End", "First, last session"],
      ["Enter", "Go to the composer"],
      ["Shift+F10", "Flag, unread, status, archive"],
    ],
  },
  {
    group: "Sources, skills",
    rows: [
      ["↑  ↓", "Previous, next"],
      [`${MOD}S`, "Save the file that is being written"],
    ],
  },
  {
    group: "Chat",
    rows: [
      ["Enter", "Send"],
      ["Shift+Enter", "New line"],
      ["Esc", "Stop the present turn"],
      ["Shift+Tab", "In the empty composer: read only, ask first, allow all"],
      ["/", "Commands"],
      ["@", "Name a file, a skill or a source"],
      ["#", "Put a label on the session"],
    ],
  },
];
