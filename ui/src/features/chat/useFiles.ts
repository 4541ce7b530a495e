/** Files that go with the next message: chosen, dropped or pasted. */
import { useState } from "react";
import { notify } from "@/data/notify";
import type { SubmitAttachment } from "@/generated/protocol";
import { bytes } from "@/lib/format";

/** Most files of one message, and the longest; the engine refuses more. */
const MOST = 10;
const LONGEST = 16 * 1_048_576;

export interface Files {
  files: readonly File[];
  add: (more: Iterable<File>) => void;
  remove: (file: File) => void;
  clear: () => void;
}

export function useFiles(): Files {
  const [files, setFiles] = useState<readonly File[]>([]);
  const add = (more: Iterable<File>) => {
    const given = [...more];
    const fine = given.filter((file) => file.size <= LONGEST);
    for (const file of given) {
      if (file.size > LONGEST) notify({ tone: "error", message: `${file.name} has ${bytes(file.size)}.`, hint: `A file may have ${bytes(LONGEST)}.` });
    }
    if (files.length + fine.length > MOST) notify({ tone: "error", message: `A message takes ${MOST} files.`, hint: "The first ones were kept." });
    setFiles([...files, ...fine].slice(0, MOST));
  };
  return { files, add, remove: (file) => setFiles(files.filter((each) => each !== file)), clear: () => setFiles([]) };
}

/** As the engine takes it. */
export async function encoded(file: File): Promise<SubmitAttachment> {
  const url = await new Promise<string>((resolve, reject) => {
    const reader = new FileReader();
    reader.addEventListener("load", () => resolve(String(reader.result)));
    reader.addEventListener("error", () => reject(new Error(`${file.name} could not be read`)));
    reader.readAsDataURL(file);
  });
  return { name: file.name, mime: file.type === "" ? null : file.type, data: url.slice(url.indexOf(",") + 1) };
}
