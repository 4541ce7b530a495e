//! The memory of one JavaScript runtime: the process's own, given out while the time limits allow.
//!
//! QuickJS asks whether it may go on only at every ten thousandth poll of its bytecode. A loop whose every round is a slow
//! native call (a long text normalised, two large numbers divided) would so have hours. Such calls need memory, and memory
//! in blocks of any size is asked for here (small ones QuickJS cuts from blocks of its own): past a limit there is none, each
//! call fails at once, and the next poll is soon. Neighbours: `slice` decides, `engine` limits the amount.

use super::slice::Watch;
use rquickjs::allocator::{Allocator, RustAllocator};
use std::rc::Rc;

/// Bytes given out between two looks at the clock.
const LOOK_EVERY: usize = 16 << 10;
/// Blocks taken back between two looks.
const FREED_BETWEEN: u32 = 128;
/// Blocks up to this size are given out past a limit too: the engine needs one for the very error that ends the run, which
/// nothing can catch; one that says "out of memory" could be caught. A call that does with less than this is quick.
const ALWAYS: usize = 4 << 10;

/// Gives memory to one runtime.
pub(crate) struct Heap {
    watch: Rc<Watch>,
    since_look: usize,
    freed: u32,
}

impl Heap {
    pub(crate) fn new(watch: &Rc<Watch>) -> Self {
        Self {
            watch: Rc::clone(watch),
            since_look: 0,
            freed: 0,
        }
    }

    fn refused(&mut self, bytes: usize) -> bool {
        if bytes > ALWAYS && self.watch.tripped().is_some() {
            return true;
        }
        self.since_look = self.since_look.saturating_add(bytes);
        if self.since_look < LOOK_EVERY {
            return false;
        }
        self.since_look = 0;
        self.watch.over() && bytes > ALWAYS
    }
}

// SAFETY: every block comes from and goes back to `RustAllocator`, which keeps the contract; this only answers "none" to
// some requests, which the contract allows.
#[expect(
    unsafe_code,
    reason = "the engine's trait for allocators is unsafe; nothing is done here but to pass on or refuse"
)]
unsafe impl Allocator for Heap {
    fn alloc(&mut self, size: usize) -> *mut u8 {
        if self.refused(size) {
            return std::ptr::null_mut();
        }
        RustAllocator.alloc(size)
    }

    fn calloc(&mut self, count: usize, size: usize) -> *mut u8 {
        if self.refused(count.saturating_mul(size)) {
            return std::ptr::null_mut();
        }
        RustAllocator.calloc(count, size)
    }

    unsafe fn dealloc(&mut self, ptr: *mut u8) {
        self.freed += 1;
        if self.freed == FREED_BETWEEN {
            self.freed = 0;
            // Only for a rest: what is given back is taken back past any limit.
            let _ = self.watch.over();
        }
        // SAFETY: the caller's promise about `ptr` is passed on.
        unsafe { RustAllocator.dealloc(ptr) }
    }

    unsafe fn realloc(&mut self, ptr: *mut u8, new_size: usize) -> *mut u8 {
        // SAFETY: the caller's promise about `ptr` is passed on.
        let held = unsafe { RustAllocator::usable_size(ptr) };
        if new_size > held && self.refused(new_size) {
            return std::ptr::null_mut();
        }
        // SAFETY: as above.
        unsafe { RustAllocator.realloc(ptr, new_size) }
    }

    unsafe fn usable_size(ptr: *mut u8) -> usize {
        // SAFETY: the caller's promise about `ptr` is passed on.
        unsafe { RustAllocator::usable_size(ptr) }
    }
}
