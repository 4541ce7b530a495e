import { expect, test } from "vitest";
import { parseValues, quoted, utf7 } from "../imap.ts";
import { layoutOf } from "../structure.ts";

test("answers of an IMAP server are taken apart, whatever stands in them", () => {
  expect(parseValues('(UID 4 BODY[HEADER] {5}\r\na)"b( FLAGS (\\Seen $x) X NIL "q\\"s" BODY[1]<0> {0}\r\n)')).toEqual([
    ["UID", "4", "BODY[HEADER]", 'a)"b(', "FLAGS", ["\\Seen", "$x"], "X", null, 'q"s', "BODY[1]<0>", ""],
  ]);
  expect(() => parseValues("(".repeat(100))).toThrow("nested too deep");
  expect(quoted('a"b\\c')).toBe('"a\\"b\\\\c"');
  expect(() => quoted("a\r\nb LOGOUT")).toThrow("line end");
  expect(utf7("Entwürfe & mehr")).toBe("Entw&APw-rfe &- mehr");
});

test("of a message's parts the text is found, and files are named with their numbers", () => {
  const text = (kind: string, name = "NIL") => `("TEXT" "${kind}" ("CHARSET" "utf-8") NIL NIL "QUOTED-PRINTABLE" 10 1 NIL ${name} NIL NIL)`;
  const pdf = '("APPLICATION" "PDF" ("NAME" "bill.pdf") NIL NIL "BASE64" 400 NIL ("ATTACHMENT" ("FILENAME*" "utf-8\'\'b%C3%BCll.pdf")) NIL NIL)';
  const picture = '("IMAGE" "PNG" ("NAME" "logo.png") "<cid1>" NIL "BASE64" 100 NIL ("INLINE" NIL) NIL NIL)';
  const [mixed] = parseValues(`((${text("PLAIN")}(${text("HTML")}${picture} "RELATED" NIL NIL NIL) "ALTERNATIVE" NIL NIL NIL)${pdf}${text("PLAIN", '("ATTACHMENT" ("FILENAME" "notes.txt"))')} "MIXED" NIL NIL NIL)`);
  const layout = layoutOf(mixed ?? null);
  expect(layout.text).toMatchObject({ section: "1.1", type: "text/plain", encoding: "quoted-printable", charset: "utf-8" });
  expect(layout.files.map(({ section, name, bytes }) => [section, name, bytes])).toEqual([
    ["1.2.2", "logo.png", 100],
    ["2", "büll.pdf", 400],
    ["3", "notes.txt", 10],
  ]);
  const [html] = parseValues(text("HTML"));
  expect(layoutOf(html ?? null).text).toMatchObject({ section: "1", type: "text/html" });
  const [report] = parseValues(`(${text("PLAIN")}${text("PLAIN")} "REPORT" NIL NIL NIL)`);
  expect(layoutOf(report ?? null).report).toBe(true);
  let deep = text("PLAIN");
  for (let level = 0; level < 30; level += 1) deep = `(${deep} "MIXED" NIL NIL NIL)`;
  expect(layoutOf(parseValues(deep)[0] ?? null).text).toBe(undefined);
});
