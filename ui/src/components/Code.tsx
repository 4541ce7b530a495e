/** A block of code: plain at once, coloured when Shiki is there. */
import { Check, Copy } from "lucide-react";
import type { ThemedToken } from "shiki/core";
import { memo, useEffect, useState } from "react";
import { useDark } from "@/lib/theme";
import { IconButton } from "./Button";
import { Enlarge } from "./Enlarged";

/** `large`: in a dialog, where it is as high as it is. */
export const Code = memo(function Code({ code, language, large = false }: { code: string; language: string; large?: boolean }) {
  const dark = useDark();
  const [lines, setLines] = useState<ThemedToken[][] | null>(null);

  useEffect(() => {
    let current = true;
    void import("@/lib/highlight")
      .then(({ highlight }) => highlight(code, language, dark))
      .then((result) => current && setLines(result))
      // Colour is a courtesy: without it the code stands there plain.
      .catch(() => undefined);
    return () => {
      current = false;
    };
  }, [code, language, dark]);

  return (
    <div className="group/code relative overflow-hidden rounded-lg border border-line bg-sunken">
      <div className="flex h-7 items-center border-b border-line pr-1 pl-3 text-xs text-faint">
        <span className="flex-1">{language === "" ? "text" : language}</span>
        {!large && code.includes("\n") && (
          <Enlarge title={language === "" ? "text" : language}>
            <Code code={code} language={language} large />
          </Enlarge>
        )}
        <CopyButton text={code} />
      </div>
      <pre
        // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- a scroll area without links must still scroll by keyboard
        tabIndex={0}
        className="overflow-x-auto px-3 py-2.5 font-mono text-[0.78125rem] leading-[1.3rem]"
      >
        <code>{lines === null ? code : lines.map((line, i) => <Line key={i} tokens={line} />)}</code>
      </pre>
    </div>
  );
});

function Line({ tokens }: { tokens: ThemedToken[] }) {
  return (
    <>
      {tokens.map((token, i) => (
        <span key={i} style={{ color: token.color }}>
          {token.content}
        </span>
      ))}
      {"\n"}
    </>
  );
}

export function CopyButton({ text, label = "Copy" }: { text: string; label?: string }) {
  const [copied, setCopied] = useState(false);
  return (
    <IconButton
      label={copied ? "Copied" : label}
      className="size-6"
      onClick={() => {
        void navigator.clipboard.writeText(text).then(() => {
          setCopied(true);
          setTimeout(() => setCopied(false), 1_500);
        });
      }}
    >
      {copied ? <Check className="size-3.5 text-good" /> : <Copy className="size-3.5" />}
    </IconButton>
  );
}
