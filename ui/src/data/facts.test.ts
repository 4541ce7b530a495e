import { QueryObserver } from "@tanstack/react-query";
import { expect, test } from "vitest";
import { Chats } from "@/features/chat/chats";
import type { SourceSummary } from "@/generated/protocol";
import { applyFact } from "./facts";
import { newQueryClient } from "./operations";

const row = (kind: string) => ({ id: "channel:slack", status: { state: { kind } } }) as unknown as SourceSummary;

/** A window that shows the sources, whose questions are answered when the test says so. */
function window() {
  const client = newQueryClient();
  const answers: ((rows: SourceSummary[]) => void)[] = [];
  const observer = new QueryObserver<SourceSummary[]>(client, { queryKey: ["source.list", {}], queryFn: () => new Promise((resolve) => answers.push(resolve)) });
  observer.subscribe(() => undefined);
  return {
    client,
    asked: (count: number) => expect.poll(() => answers.length).toBe(count),
    answer: (at: number, kind: string) => answers[at]?.([row(kind)]),
    shows: () => client.getQueryData<SourceSummary[]>(["source.list", {}])?.[0]?.status.state.kind,
    fact: (kind: string) => applyFact(client, new Chats({} as never), { topic: "source_changed", source: row(kind) }),
  };
}

test("an answer that was asked for before a fact does not put back what the fact has changed", async () => {
  const seen = window();
  await seen.asked(1);
  seen.answer(0, "connecting");
  await expect.poll(seen.shows).toBe("connecting");
  void seen.client.invalidateQueries({ queryKey: ["source.list"] });
  await seen.asked(2);
  seen.fact("running");
  expect(seen.shows()).toBe("running");
  await seen.asked(3);
  seen.answer(1, "connecting");
  seen.answer(2, "running");
  await expect.poll(() => seen.client.isFetching()).toBe(0);
  expect(seen.shows()).toBe("running");
});

test("a fact that comes before the first answer is not lost with it", async () => {
  const seen = window();
  await seen.asked(1);
  seen.fact("running");
  await seen.asked(2);
  seen.answer(0, "connecting");
  seen.answer(1, "running");
  await expect.poll(seen.shows).toBe("running");
  expect(seen.client.isFetching()).toBe(0);
});
