import { createContext, useCallback, useContext, useEffect, useSyncExternalStore } from "react";
import type { SessionId } from "@/generated/protocol";
import type { OperationError } from "@/platform";
import type { Chats } from "./chats";
import type { Chat } from "./reducer";

const ChatsContext = createContext<Chats | null>(null);
export const ChatsProvider = ChatsContext.Provider;

export function useChats(): Chats {
  const chats = useContext(ChatsContext);
  if (chats === null) throw new Error("useChats outside ChatsProvider");
  return chats;
}

export function useChat(id: SessionId): { chat: Chat; error: OperationError | null; reload: () => void; readBack: () => void } {
  const chats = useChats();
  useEffect(() => chats.enter(id), [chats, id]);
  const chat = useSyncExternalStore(
    (listener) => chats.subscribe(id, listener),
    () => chats.chat(id),
  );
  const error = useSyncExternalStore(
    (listener) => chats.subscribe(id, listener),
    () => chats.error(id),
  );
  const readBack = useCallback(() => void chats.readBack(id), [chats, id]);
  return { chat, error, reload: () => void chats.reload(id), readBack };
}
