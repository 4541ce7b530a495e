import { describe, expect, it } from "vitest";
import { fakePlatform } from "@/platform/fake";
import { Chats } from "./chats";

const ID = "261122-brave-otter";

describe("the open chats", () => {
  it("fold the deltas of a frame into one change", async () => {
    const frames: (() => void)[] = [];
    const chats = new Chats(fakePlatform({ latencyMs: 0 }), (run) => frames.push(run));
    chats.enter(ID);
    await chats.reload(ID);
    let changes = 0;
    chats.subscribe(ID, () => {
      changes += 1;
    });
    for (let i = 0; i < 500; i += 1) chats.take(ID, { kind: "text_delta", message: "m", text: "x" });
    expect(changes).toBe(0);
    expect(frames).toHaveLength(1);
    frames[0]?.();
    expect(changes).toBe(1);
    expect(chats.chat(ID).growing?.text).toHaveLength(500);
  });

  it("keep the order of deltas and what follows them without waiting for a frame", async () => {
    const chats = new Chats(fakePlatform({ latencyMs: 0 }), () => undefined);
    chats.enter(ID);
    await chats.reload(ID);
    chats.take(ID, { kind: "text_delta", message: "m", text: "gone" });
    chats.take(ID, { kind: "message_reset", message: "m" });
    expect(chats.chat(ID).growing).toBeNull();
  });

  it("read the newest rows of a long transcript, and the others when somebody goes back to them", async () => {
    const LONG = "261122-quiet-heron";
    const platform = fakePlatform({ latencyMs: 0, big: true });
    const chats = new Chats(platform);
    await chats.reload(LONG);
    expect(chats.chat(LONG).messages).toHaveLength(500);
    expect(chats.chat(LONG).earlier).toBe(9_500);
    // Two who ask at once get one page.
    await Promise.all([chats.readBack(LONG), chats.readBack(LONG)]);
    const all = platform.world.transcript(LONG);
    expect(chats.chat(LONG).messages.map(({ id }) => id)).toEqual(all.slice(-1_000).map(({ id }) => id));
    expect(chats.chat(LONG).earlier).toBe(9_000);
    // A new reading keeps what was gone back to.
    await chats.reload(LONG);
    expect(chats.chat(LONG).messages).toHaveLength(1_000);
  });

  it("say why a transcript could not be read, and read it when asked again", async () => {
    const platform = fakePlatform({ latencyMs: 0 });
    const known = platform.world.session(ID);
    platform.world.sessions.delete(ID);
    const chats = new Chats(platform);
    await chats.reload(ID);
    expect(chats.error(ID)?.wire.code).toBe("not_found");
    platform.world.sessions.set(ID, known);
    await chats.reload(ID);
    expect(chats.error(ID)).toBeNull();
    expect(chats.chat(ID).messages.length).toBeGreaterThan(3);
  });
});
