/** Markdown of a model: never raw HTML, links leave through the platform, pictures are not fetched. */
import { memo, type ReactNode } from "react";
import ReactMarkdown, { type Components } from "react-markdown";
import remarkGfm from "remark-gfm";
import { usePlatform } from "@/data/platform";
import { Code } from "./Code";

const PLUGINS = [remarkGfm];

function Link({ href, children }: { href?: string | undefined; children?: ReactNode }) {
  const platform = usePlatform();
  return (
    <a
      href={href}
      title={href}
      onClick={(event) => {
        event.preventDefault();
        if (href !== undefined) void platform.openExternal(href);
      }}
    >
      {children}
    </a>
  );
}

const COMPONENTS: Components = {
  a: ({ href, children }) => <Link href={href}>{children}</Link>,
  // A picture in an answer could carry what it read to a stranger's server. Its address is shown instead.
  img: ({ src, alt }) => <Link href={typeof src === "string" ? src : undefined}>{alt === undefined || alt === "" ? "picture" : alt}</Link>,
  table: ({ children }) => (
    <div className="overflow-x-auto">
      <table>{children}</table>
    </div>
  ),
  pre: ({ children }) => <>{children}</>,
  code: ({ className, children }) => {
    const language = /language-([\w+-]+)/.exec(className ?? "")?.[1];
    const text = String(children);
    return language === undefined && !text.includes("\n") ? <code>{children}</code> : <Code code={text.replace(/\n$/, "")} language={language ?? ""} />;
  },
};

export default memo(function MarkdownBody({ text }: { text: string }) {
  return (
    <div className="prose">
      <ReactMarkdown remarkPlugins={PLUGINS} components={COMPONENTS} skipHtml>
        {text}
      </ReactMarkdown>
    </div>
  );
});
