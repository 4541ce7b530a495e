import type { ProviderKind, ProviderSettings } from "@/generated/protocol";

export const KIND_NAMES: Record<ProviderKind, string> = { demo: "Demo", anthropic: "Anthropic", "openai-chat": "OpenAI-compatible" };

export const DEMO_SETTINGS: ProviderSettings = { id: "demo", kind: "demo", model: "scripted" };

/** Starting points of the form. */
export const PRESETS = [
  { id: "anthropic", name: "Anthropic", kind: "anthropic", baseUrl: "", model: "claude-sonnet-4-5", key: true },
  { id: "openai", name: "OpenAI", kind: "openai-chat", baseUrl: "https://api.openai.com/v1", model: "", key: true },
  { id: "ollama", name: "Ollama", kind: "openai-chat", baseUrl: "http://127.0.0.1:11434/v1", model: "", key: false },
  { id: "lm-studio", name: "LM Studio", kind: "openai-chat", baseUrl: "http://127.0.0.1:1234/v1", model: "", key: false },
  { id: "custom", name: "Other, OpenAI-compatible", kind: "openai-chat", baseUrl: "", model: "", key: true },
] as const satisfies readonly { id: string; name: string; kind: ProviderKind; baseUrl: string; model: string; key: boolean }[];
