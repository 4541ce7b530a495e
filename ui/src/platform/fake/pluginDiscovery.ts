/** Where the fake looks for plugins, and what it passed over. */
import type { DroppedPlugin, PluginRoot } from "@/generated/protocol";
import { EXTENSIONS } from "./plugins";

export const ROOTS: PluginRoot[] = [
  { origin: "bundled", workspace: null, path: "/usr/lib/kata-agents/plugins", exists: true },
  { origin: "global", workspace: null, path: EXTENSIONS, exists: true },
  { origin: "workspace", workspace: "acme", path: "~/.kata-agents/workspaces/acme/extensions", exists: true },
];

export const DROPPED: DroppedPlugin[] = [
  { path: `${EXTENSIONS}/jira`, origin: "global", id: null, reason: "kata-plugin.json, line 7: “capabilities[1]” is “net:*”, which names no host", hint: "Name the host it talks to, for example “net:your-site.atlassian.net”." },
  { path: `${EXTENSIONS}/shared-tools`, origin: "global", id: "shared-tools", reason: "the folder can be written by everybody on this machine", hint: "chmod o-w ~/.kata-agents/extensions/shared-tools" },
  { path: "~/.kata-agents/workspaces/acme/extensions/telegram", origin: "workspace", id: "telegram", reason: "a plugin with the id “telegram” is shipped with the app, and a workspace may not take its place", hint: "Give it another id, or allow it under plugins.shadow in settings.json." },
];
