/** One field of a settings form: the control that its kind calls for. */
import { Plus, X } from "lucide-react";
import { useId } from "react";
import { Button, IconButton } from "@/components/Button";
import { Field, Input, Select, Switch, Textarea } from "@/components/controls";
import { jsonText } from "@/lib/format";
import type { FieldSpec } from "./schema";
import type { FormValue, FormValues } from "./values";

interface ControlProps {
  field: FieldSpec;
  value: FormValue;
  /** By path; a control picks out its own. */
  errors: Readonly<Record<string, string>>;
  onChange: (value: FormValue) => void;
}

export function FormControl(props: ControlProps) {
  const { field } = props;
  switch (field.kind) {
    case "boolean":
      return <BooleanControl {...props} />;
    case "group":
      return <GroupControl {...props} fields={field.fields} />;
    case "list":
      return <ListControl {...props} item={field.item} full={field.max !== null && Array.isArray(props.value) && props.value.length >= field.max} />;
    case "fixed":
      return (
        <div>
          <p className="font-medium">{field.title}</p>
          <p className="selectable font-mono text-sm text-muted">{jsonText(field.value)}</p>
          {field.description !== null && <p className="text-sm text-faint">{field.description}</p>}
        </div>
      );
    default:
      return (
        <Field label={titleOf(field)} hint={hintOf(field)} error={props.errors[field.path]}>
          {(ids) => <Words ids={ids} field={field} value={String(props.value)} onChange={props.onChange} />}
        </Field>
      );
  }
}

const titleOf = (field: FieldSpec): string => (field.required ? field.title : `${field.title} (optional)`);

function hintOf(field: FieldSpec): string | null {
  if (field.kind !== "number") return field.description;
  const { min, max } = field;
  const range = min !== null && max !== null ? `${min} to ${max}.` : min !== null ? `${min} or more.` : max !== null ? `${max} at most.` : null;
  return [field.description, range].filter(Boolean).join(" ") || null;
}

interface WordsProps {
  ids: { id?: string; "aria-label"?: string; "aria-describedby": string | undefined; "aria-invalid": boolean | undefined };
  field: FieldSpec;
  value: string;
  onChange: (value: string) => void;
}

const TYPES = { plain: "text", password: "password", uri: "url", email: "email" } as const;

/** What is typed or chosen from a list. */
function Words({ ids, field, value, onChange }: WordsProps) {
  if (field.kind === "choice") {
    return (
      <Select {...ids} value={value} onChange={(event) => onChange(event.target.value)}>
        {(!field.required || value === "") && <option value="">—</option>}
        {field.options.map((option, i) => (
          <option key={option.label} value={i}>
            {option.label}
          </option>
        ))}
      </Select>
    );
  }
  if (field.kind === "text" && field.format === "plain" && field.long) {
    return <Textarea {...ids} rows={4} data-testid={`setting-${field.path}`} required={field.required} value={value} onChange={(event) => onChange(event.target.value)} />;
  }
  return (
    <Input
      {...ids}
      data-testid={`setting-${field.path}`}
      required={field.required}
      value={value}
      type={field.kind === "text" ? TYPES[field.format] : "text"}
      autoComplete="off"
      inputMode={field.kind === "number" ? (field.integer ? "numeric" : "decimal") : undefined}
      className={field.kind === "json" ? "font-mono text-sm" : field.kind === "number" ? "max-w-28" : undefined}
      placeholder={field.kind === "json" ? "JSON" : field.kind === "text" && field.format === "uri" ? "https://" : undefined}
      onChange={(event) => onChange(event.target.value)}
    />
  );
}

function BooleanControl({ field, value, errors, onChange }: ControlProps) {
  const error = errors[field.path];
  return (
    <div className="flex items-start gap-3">
      <div className="flex-1">
        <p className="font-medium">{field.title}</p>
        {field.description !== null && <p className="text-sm text-faint">{field.description}</p>}
        {error !== undefined && <p className="text-sm text-bad">{error}</p>}
      </div>
      <Switch label={field.title} checked={value === true} onChange={onChange} />
    </div>
  );
}

function GroupControl({ field, fields, value, errors, onChange }: ControlProps & { fields: readonly FieldSpec[] }) {
  const values: FormValues = typeof value === "object" && !Array.isArray(value) ? (value as FormValues) : {};
  const error = errors[field.path];
  return (
    <fieldset className="flex flex-col gap-3 rounded-lg border border-line px-3.5 pt-2 pb-3.5">
      <legend className="-ml-1 px-1 font-medium">{titleOf(field)}</legend>
      {field.description !== null && <p className="-mt-1 text-sm text-faint">{field.description}</p>}
      {error !== undefined && <p className="text-sm text-bad">{error}</p>}
      {fields.map((part) => (
        <FormControl key={part.path} field={part} value={values[part.name] ?? ""} errors={errors} onChange={(next) => onChange({ ...values, [part.name]: next })} />
      ))}
    </fieldset>
  );
}

function ListControl({ field, item, full, value, errors, onChange }: ControlProps & { item: FieldSpec; full: boolean }) {
  const id = useId();
  const rows = Array.isArray(value) ? (value as readonly string[]) : [];
  const note = errors[field.path] ?? field.description;
  return (
    <div role="group" aria-labelledby={id} className="flex flex-col gap-1.5">
      <p id={id} className="font-medium">
        {titleOf(field)}
      </p>
      {rows.map((row, i) => {
        const error = errors[`${field.path}/${i}`];
        return (
          // oxlint-disable-next-line react/no-array-index-key -- the rows have no name but their place
          <div key={i} className="flex flex-col gap-0.5">
            <div className="flex items-center gap-1">
              <Words
                ids={{ "aria-label": `${field.title} ${i + 1}`, "aria-describedby": error === undefined ? undefined : `${id}-${i}`, "aria-invalid": error === undefined ? undefined : true }}
                field={item}
                value={row}
                onChange={(next) => onChange(rows.with(i, next))}
              />
              <IconButton label={`Take out ${field.title} ${i + 1}`} onClick={() => onChange(rows.toSpliced(i, 1))}>
                <X className="size-3.5" />
              </IconButton>
            </div>
            {error !== undefined && (
              <p id={`${id}-${i}`} className="text-sm text-bad">
                {error}
              </p>
            )}
          </div>
        );
      })}
      <Button className="self-start" disabled={full} icon={<Plus className="size-3.5" />} aria-label={`Add to ${field.title}`} onClick={() => onChange([...rows, ""])}>
        Add
      </Button>
      {note !== null && <p className={errors[field.path] === undefined ? "text-sm text-faint" : "text-sm text-bad"}>{note}</p>}
    </div>
  );
}
