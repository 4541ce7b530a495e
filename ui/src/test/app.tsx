/** The whole window on the fake engine, for tests. */
import { render } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { App } from "@/App";
import { type FakeOptions, type FakePlatform, fakePlatform } from "@/platform/fake";

export function openWindow(hash = "", options: FakeOptions = {}): { platform: FakePlatform; user: ReturnType<typeof userEvent.setup> } {
  window.location.hash = hash;
  const platform = fakePlatform({ stepMs: 0, latencyMs: 0, ...options });
  render(<App platform={platform} />);
  return { platform, user: userEvent.setup() };
}
