/** Markdown, its parser loaded with the first text. Until then the text stands there as it was written. */
import { lazy, Suspense } from "react";

const load = () => import("./MarkdownBody");
const MarkdownBody = lazy(load);

/** Fetches the parser before it is needed. */
export const preloadMarkdown = (): void => void load();

export function Markdown({ text }: { text: string }) {
  return (
    <Suspense fallback={<p data-unread className="prose whitespace-pre-wrap">{text}</p>}>
      <MarkdownBody text={text} />
    </Suspense>
  );
}
