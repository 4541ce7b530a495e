/** The window when there is no engine: why, what to do, where the log is. */
import { CircleAlert, Hourglass, Power, RotateCw } from "lucide-react";
import { useState } from "react";
import { Button } from "@/components/Button";
import { CopyButton } from "@/components/Code";
import { Facts } from "@/components/layout";
import { usePlatform } from "@/data/platform";
import { focusOnMount } from "@/lib/focus";
import { sentence } from "@/lib/sentence";
import type { EngineFailure } from "@/platform";

export function EngineFailureView({ failure }: { failure: EngineFailure }) {
  const platform = usePlatform();
  const [trying, setTrying] = useState(false);
  const { state, error, home, log } = failure;
  const Icon = state === "failed" ? CircleAlert : Hourglass;
  const tryAgain = async () => {
    setTrying(true);
    await platform.startEngine().finally(() => setTrying(false));
  };
  return (
    <main data-testid="engine-failure" className="flex h-full items-center justify-center overflow-y-auto p-6">
      <div className="flex w-[520px] max-w-full flex-col gap-4">
        <div role="alert" className="flex flex-col gap-1.5">
          <Icon aria-hidden className={state === "failed" ? "mb-1 size-7 text-bad" : "mb-1 size-7 text-warn"} strokeWidth={1.5} />
          <h1 className="text-xl font-semibold">{state === "failed" ? "The engine did not start" : "The engine is not there yet"}</h1>
          <p className="selectable [overflow-wrap:anywhere]">{sentence(error.message)}</p>
          {error.hint != null && <p className="text-muted">{sentence(error.hint)}</p>}
        </div>
        <div className="rounded-lg border border-line bg-list px-3.5 py-3">
          <Facts
            rows={[
              ["Home", <Path key="home" path={home} />],
              ["Log", <Path key="log" path={log} />],
            ]}
          />
        </div>
        <div className="flex items-center gap-2">
          <Button ref={focusOnMount} look="primary" data-testid="engine-try-again" disabled={trying} icon={<RotateCw className="size-3.5" />} onClick={() => void tryAgain()}>
            {trying ? "Starting" : "Try again"}
          </Button>
          <Button data-testid="engine-quit" icon={<Power className="size-3.5" />} onClick={() => void platform.quit()}>
            Quit
          </Button>
        </div>
        <p className="text-sm text-faint">Nothing is lost: sessions and messages lie in the home folder.</p>
      </div>
    </main>
  );
}

function Path({ path }: { path: string }) {
  return (
    <span className="flex min-h-5 items-center gap-1 [&>button]:-my-0.5">
      <code className="min-w-0 flex-1 font-mono text-sm [overflow-wrap:anywhere]">{path}</code>
      <CopyButton text={path} label={`Copy ${path}`} />
    </span>
  );
}
