/** The last resort: a fault of the window itself is said, not shown as a blank page. */
import { Component, type ReactNode } from "react";
import { Button } from "@/components/Button";

export class Boundary extends Component<{ children: ReactNode }, { fault: Error | null }> {
  override state: { fault: Error | null } = { fault: null };

  static getDerivedStateFromError(fault: Error): { fault: Error } {
    return { fault };
  }

  override render(): ReactNode {
    const { fault } = this.state;
    if (fault === null) return this.props.children;
    return (
      <main role="alert" className="flex h-full flex-col items-center justify-center gap-3 p-8 text-center">
        <h1 className="text-lg font-semibold">The window ran into a fault</h1>
        <p className="max-w-md text-muted">Sessions and channels go on in the engine; only this view stopped.</p>
        <pre className="selectable max-w-xl overflow-auto rounded-md border border-line bg-sunken p-3 text-left font-mono text-sm whitespace-pre-wrap">{fault.message}</pre>
        <Button look="primary" onClick={() => window.location.reload()}>
          Load the window again
        </Button>
      </main>
    );
  }
}
