/** Tool calls that wait for a person. They stand above the composer, so that they cannot scroll away. */
import { ApprovalCard } from "@/features/approvals/ApprovalCard";
import type { Approval } from "@/generated/protocol";

export function Approvals({ approvals }: { approvals: readonly Approval[] }) {
  const first = approvals[0];
  return (
    <div aria-live="polite">
      {first !== undefined && (
        <ApprovalCard
          key={first.code}
          approval={first}
          className="mb-2 shadow-pop"
          aside={approvals.length > 1 && <span className="font-normal text-faint">{approvals.length - 1} more after it</span>}
        />
      )}
    </div>
  );
}
