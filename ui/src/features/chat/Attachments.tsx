/** Files of a message: pictures as they are, the rest by name. They are fetched when they come into sight, and no sooner. */
import { File, FileAudio, FileVideo, type LucideIcon, Mic, TriangleAlert } from "lucide-react";
import { createContext, useContext } from "react";
import { useRead } from "@/data/operations";
import { usePlatform } from "@/data/platform";
import type { Attachment, AttachmentData, MediaKind, SessionId } from "@/generated/protocol";
import { notify } from "@/data/notify";
import { cn } from "@/lib/cn";
import { bytes } from "@/lib/format";
import { toOperationError } from "@/platform";

/** Whose files they are. */
export const SessionOfRows = createContext<SessionId | null>(null);

const ICONS: Record<MediaKind, LucideIcon> = { image: File, file: File, audio: FileAudio, voice: Mic, video: FileVideo };
/** What a browser can draw and run no script in. */
const DRAWN = /^image\/(png|jpeg|gif|webp|avif|bmp)$/;

const dataUrl = (data: AttachmentData) => `data:${data.mime};base64,${data.data}`;

/** `small`: by name, pictures too. */
export function Attachments({ files, end = false, small = false }: { files: readonly Attachment[] | undefined; end?: boolean; small?: boolean }) {
  const session = useContext(SessionOfRows);
  if (files === undefined || files.length === 0 || session === null) return null;
  return (
    <ul aria-label="Files" className={cn("mt-1.5 flex flex-wrap gap-2", end && "justify-end")}>
      {files.map((file) => (
        <li key={file.id} className="min-w-0">
          {file.missing !== null ? <Missing file={file} /> : !small && DRAWN.test(file.mime) ? <Picture session={session} file={file} /> : <Named session={session} file={file} />}
        </li>
      ))}
    </ul>
  );
}

function Picture({ session, file }: { session: SessionId; file: Attachment }) {
  const read = useRead("session.attachment", { session, attachment: file.id });
  if (read.isError) return <Named session={session} file={file} />;
  // Its height is known before it is there, so that the rows below do not jump.
  return (
    <span className="flex h-44 min-w-32 items-center justify-center overflow-hidden rounded-lg border border-line bg-sunken">
      {read.data !== undefined && <img src={dataUrl(read.data)} alt={file.name} title={`${file.name} · ${bytes(file.bytes)}`} className="h-full max-w-full object-contain" />}
    </span>
  );
}

function Named({ session, file }: { session: SessionId; file: Attachment }) {
  const platform = usePlatform();
  const Icon = ICONS[file.kind];
  const save = async () => {
    try {
      const data = await platform.request("session.attachment", { session, attachment: file.id });
      const link = document.createElement("a");
      link.href = dataUrl({ ...data, mime: "application/octet-stream" });
      link.download = file.name;
      link.click();
    } catch (cause) {
      notify({ tone: "error", message: toOperationError(cause).wire.message, hint: null });
    }
  };
  return (
    <button type="button" onClick={() => void save()} title={`Save ${file.name}`} className="flex max-w-72 items-center gap-2 rounded-lg border border-line bg-raised px-2.5 py-1.5 text-left hover:bg-hover">
      <Icon aria-hidden className="size-4 shrink-0 text-muted" />
      <span className="min-w-0 truncate">{file.name}</span>
      <span className="shrink-0 text-xs text-faint">{bytes(file.bytes)}</span>
    </button>
  );
}

function Missing({ file }: { file: Attachment }) {
  return (
    <p className="flex max-w-80 items-start gap-2 rounded-lg border border-warn/30 bg-warn-soft px-2.5 py-1.5 text-sm text-warn">
      <TriangleAlert aria-hidden className="mt-0.5 size-3.5 shrink-0" />
      <span>
        {file.name} could not be had: {file.missing}
      </span>
    </p>
  );
}
