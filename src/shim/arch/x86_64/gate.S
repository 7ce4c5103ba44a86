/* The only system call instructions of the shim. Syscall User Dispatch exempts this section, so that everything else in
 * the process, libc included, is trapped. Sources: syscall(2), prctl(2) PR_SET_SYSCALL_USER_DISPATCH, sigreturn(2). */

/* From (number, six arguments) of a C call to the registers of a system call; the last argument is on the stack. */
    .macro call_registers
    mov %rdi, %rax
    mov %rsi, %rdi
    mov %rdx, %rsi
    mov %rcx, %rdx
    mov %r8, %r10
    mov %r9, %r8
    mov 8(%rsp), %r9
    .endm

    .section .drdsys, "ax", @progbits
    .balign 4096
    .globl shim_gate_begin
    .hidden shim_gate_begin
shim_gate_begin:

/* long shim_syscall(nr, a, b, c, d, e, f) */
    .globl shim_syscall
    .hidden shim_syscall
    .type shim_syscall, @function
shim_syscall:
    call_registers
    syscall
    ret

/* long shim_syscall_interruptible(nr, a, b, c, d, e, f, volatile uint64_t *pending)
 * -EINTR at once if *pending. A signal handler that finds the program counter between `begin` and `end` moves it to
 * `interrupted`: a signal that lands after the check and before the call is not lost. */
    .globl shim_syscall_interruptible
    .hidden shim_syscall_interruptible
    .type shim_syscall_interruptible, @function
shim_syscall_interruptible:
    call_registers
    mov 16(%rsp), %rcx
    .globl shim_interruptible_begin
    .hidden shim_interruptible_begin
shim_interruptible_begin:
    cmpq $0, (%rcx)
    jne shim_interrupted
    syscall
    .globl shim_interruptible_end
    .hidden shim_interruptible_end
shim_interruptible_end:
    ret
    .globl shim_interrupted
    .hidden shim_interrupted
shim_interrupted:
    mov $-4, %rax
    ret

/* Where the kernel returns to from the shim's own signal handlers. libgcc and gdb know a signal frame by these very
 * instructions; libdw wants it described. It lies at the stack pointer, where the handler has returned: struct ucontext, whose
 * registers begin at byte 40 (signal.h, bits of sys/ucontext.h). The byte before belongs to it, since who looks up the place
 * that a function returns to looks one byte before it. */
#define IN_FRAME(number, low, high) .cfi_escape 0x10, number, 3, 0x77, low, high /* DW_CFA_expression, DW_OP_breg7 */
    .cfi_startproc
    .cfi_signal_frame
    .cfi_escape 0x0f, 4, 0x77, 0xa0, 0x01, 0x06 /* DW_CFA_def_cfa_expression: the stack pointer there, DW_OP_deref */
    IN_FRAME(8, 0xa8, 0x00)
    IN_FRAME(9, 0xb0, 0x00)
    IN_FRAME(10, 0xb8, 0x00)
    IN_FRAME(11, 0xc0, 0x00)
    IN_FRAME(12, 0xc8, 0x00)
    IN_FRAME(13, 0xd0, 0x00)
    IN_FRAME(14, 0xd8, 0x00)
    IN_FRAME(15, 0xe0, 0x00)
    IN_FRAME(5, 0xe8, 0x00)   /* rdi */
    IN_FRAME(4, 0xf0, 0x00)   /* rsi */
    IN_FRAME(6, 0xf8, 0x00)   /* rbp */
    IN_FRAME(3, 0x80, 0x01)   /* rbx */
    IN_FRAME(1, 0x88, 0x01)   /* rdx */
    IN_FRAME(0, 0x90, 0x01)   /* rax */
    IN_FRAME(2, 0x98, 0x01)   /* rcx */
    IN_FRAME(7, 0xa0, 0x01)   /* rsp */
    IN_FRAME(16, 0xa8, 0x01)  /* rip */
    nop
    .globl shim_restorer
    .hidden shim_restorer
    .type shim_restorer, @function
shim_restorer:
    movq $15, %rax
    syscall
    .cfi_endproc

/* void shim_sigreturn(stack pointer): rt_sigreturn on behalf of the program. */
    .globl shim_sigreturn
    .hidden shim_sigreturn
    .type shim_sigreturn, @function
shim_sigreturn:
    mov %rdi, %rsp
    mov $15, %eax
    syscall
    ud2

/* long shim_clone(flags, stack, ptid, ctid, tls, struct birth *)
 * The child starts on its own stack, calls birth->born(birth) there and goes on where the program's own system call
 * instruction would have returned, with its registers. struct birth: born, then the registers in the order below. */
    .globl shim_clone
    .hidden shim_clone
    .type shim_clone, @function
shim_clone:
    push %rbx
    mov %rcx, %r10
    mov %r9, %rbx
    mov $56, %eax
    syscall
    test %rax, %rax
    jz 1f
    pop %rbx
    ret
1:
shim_child:
    xor %ebp, %ebp
    mov %rsp, %r12
    sub $128, %rsp              /* a child on its parent's stack: leave the red zone */
    and $-16, %rsp
    mov %rbx, %rdi
    call *0(%rbx)
    mov %r12, %rsp
    mov %rbx, %rax
    mov 8(%rax), %r8
    mov 16(%rax), %r9
    mov 24(%rax), %r10
    mov 32(%rax), %r12
    mov 40(%rax), %r13
    mov 48(%rax), %r14
    mov 56(%rax), %r15
    mov 64(%rax), %rdi
    mov 72(%rax), %rsi
    mov 80(%rax), %rbp
    mov 88(%rax), %rbx
    mov 96(%rax), %rdx
    mov 104(%rax), %rcx
    xor %eax, %eax
    jmp *%rcx

/* long shim_vfork(flags, stack, birth, save, bytes, buffer)
 * As shim_clone, but parent and child share `stack`, and the child runs first: the parent's frames, `bytes` from `save` up,
 * are in `buffer` and are put back before the parent uses them again. */
    .globl shim_vfork
    .hidden shim_vfork
    .type shim_vfork, @function
shim_vfork:
    push %rbx
    push %r12
    push %r13
    push %r14
    mov %rdx, %rbx
    mov %rcx, %r12
    mov %r8, %r13
    mov %r9, %r14
    mov %rsp, %rdx
    sub %r12, %rdx              /* the pushes above happened after the copy was made: make it good */
    mov (%rsp), %rax
    mov %rax, (%r14, %rdx)
    mov 8(%rsp), %rax
    mov %rax, 8(%r14, %rdx)
    mov 16(%rsp), %rax
    mov %rax, 16(%r14, %rdx)
    mov 24(%rsp), %rax
    mov %rax, 24(%r14, %rdx)
    mov 32(%rsp), %rax
    mov %rax, 32(%r14, %rdx)
    xor %edx, %edx
    xor %r10d, %r10d
    xor %r8d, %r8d
    mov $56, %eax
    syscall
    test %rax, %rax
    jz 1f
    mov %r12, %rdi
    mov %r14, %rsi
    mov %r13, %rcx
    rep movsb
    pop %r14
    pop %r13
    pop %r12
    pop %rbx
    ret
1:  jmp shim_child

/* void shim_thread_exit(uint32_t *word, uint32_t value, uint32_t *tid_word): give up the baton and end this thread,
 * without a stack: whoever joins it may free the stack as soon as the baton is free. */
    .globl shim_thread_exit
    .hidden shim_thread_exit
    .type shim_thread_exit, @function
shim_thread_exit:
    mov %rdx, %rbx
    mov %esi, (%rdi)
    mov $129, %esi
    mov $0x7fffffff, %edx
    mov $202, %eax
    syscall
    test %rbx, %rbx
    jz 1f
    mov %rbx, %rdi
    mov $1, %esi
    mov $0x7fffffff, %edx
    mov $202, %eax
    syscall
1:  xor %edi, %edi
    mov $60, %eax
    syscall
    ud2

/* void shim_thread_leave(uint32_t *word, uint32_t value): as shim_thread_exit, where the word is shared with another process. */
    .globl shim_thread_leave
    .hidden shim_thread_leave
    .type shim_thread_leave, @function
shim_thread_leave:
    mov %esi, (%rdi)
    mov $1, %esi
    mov $1, %edx
    mov $202, %eax
    syscall
    xor %edi, %edi
    mov $60, %eax
    syscall
    ud2

    .balign 4096
    .globl shim_gate_end
    .hidden shim_gate_end
shim_gate_end:

    .text

/* long shim_trap(nr): a system call instruction outside the gate: lands in the trap handler with a full frame. */
    .globl shim_trap
    .hidden shim_trap
    .type shim_trap, @function
shim_trap:
    .cfi_startproc
    mov %rdi, %rax
    syscall
    ret
    .cfi_endproc

/* long shim_trap_call(nr, a, b, c, d, e, f): the same with arguments, as syscall(2) of libc. */
    .globl shim_trap_call
    .hidden shim_trap_call
    .type shim_trap_call, @function
shim_trap_call:
    .cfi_startproc
    call_registers
    syscall
    ret
    .cfi_endproc

/* size_t shim_copy(to, from, bytes): 0, or not 0 if some of `from` (or `to`) is not mapped. A fault between shim_copy_begin
 * and shim_copy_end is taken to shim_copy_fault by the SIGSEGV handler. */
    .globl shim_copy, shim_copy_begin, shim_copy_end, shim_copy_fault
    .hidden shim_copy, shim_copy_begin, shim_copy_end, shim_copy_fault
    .type shim_copy, @function
shim_copy:
    mov %rdx, %rcx
    cmp $256, %rcx
shim_copy_begin:
    ja 4f
1:  cmp $8, %rcx
    jb 2f
    mov (%rsi), %rax
    mov %rax, (%rdi)
    add $8, %rsi
    add $8, %rdi
    sub $8, %rcx
    jmp 1b
2:  test %rcx, %rcx
    jz 3f
    movzbl (%rsi), %eax
    mov %al, (%rdi)
    inc %rsi
    inc %rdi
    dec %rcx
    jmp 2b
4:  rep movsb
shim_copy_end:
3:  xor %eax, %eax
    ret
shim_copy_fault:
    mov $1, %eax
    ret

/* void shim_scrub(bytes): zero that much of the stack below this call. What the shim leaves there must not depend on the
 * world it ran in: programs do send stack memory that they never wrote. */
    .globl shim_scrub
    .hidden shim_scrub
    .type shim_scrub, @function
shim_scrub:
    mov %rdi, %rcx
    mov %rsp, %rdi
    sub %rcx, %rdi
    xor %eax, %eax
    rep stosb
    ret

/* long shim_string(string, max): its length, at most max; -1 if it is not mapped. */
    .globl shim_string, shim_string_at, shim_string_fault
    .hidden shim_string, shim_string_at, shim_string_fault
    .type shim_string, @function
shim_string:
    xor %eax, %eax
1:  cmp %rsi, %rax
    jae 2f
shim_string_at:
    cmpb $0, (%rdi, %rax)
    je 2f
    inc %rax
    jmp 1b
2:  ret
shim_string_fault:
    mov $-1, %rax
    ret

/* void shim_call_on_stack(handler, signo, siginfo, ucontext, stack pointer) */
    .globl shim_call_on_stack
    .hidden shim_call_on_stack
    .type shim_call_on_stack, @function
shim_call_on_stack:
    .cfi_startproc
    push %rbp
    .cfi_def_cfa_offset 16
    .cfi_offset %rbp, -16
    mov %rsp, %rbp
    .cfi_def_cfa_register %rbp
    mov %r8, %rsp
    and $-16, %rsp
    mov %rdi, %rax
    mov %esi, %edi
    mov %rdx, %rsi
    mov %rcx, %rdx
    call *%rax
    mov %rbp, %rsp
    pop %rbp
    .cfi_def_cfa %rsp, 8
    ret
    .cfi_endproc

    .section .note.GNU-stack, "", @progbits
