/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The bounds of sections that a linker script would define.
 *
 *	SECTION(name, symbol at its start, symbol at its end)
 *
 * sections.py makes two objects of this: the first and the last of the link.
 * wasm-ld puts input segments of one name together in the order of the inputs,
 * so that these symbols of no size enclose what the other objects contribute.
 * The sections themselves follow in the order of their first appearance, which
 * is the order of these lines; but what is named .tdata*, .rodata* or .data*
 * comes before the others, merged into one, and .bss* after them. A section
 * that needs bounds of its own must have another name.
 *
 * NONE: no symbol is wanted, only the order counts.
 */

/* These follow .data, and objects that lockdep asks for lie in them. */
SECTION("__param", __start___param, __stop___param)
SECTION("__modver", __start___modver, __stop___modver)
SECTION("__modver", NONE, _edata)

/* Per-CPU variables. */
SECTION("percpu..first", __per_cpu_load, NONE)
SECTION("percpu..first", __per_cpu_start, NONE)
SECTION("percpu..page_aligned", NONE, NONE)
SECTION("percpu..read_mostly", NONE, NONE)
SECTION("percpu", NONE, NONE)
SECTION("percpu..shared_aligned", NONE, __per_cpu_end)

/* Scheduling classes are compared by address. */
SECTION("__stop_sched_class", __sched_class_highest, NONE)
SECTION("__dl_sched_class", NONE, NONE)
SECTION("__rt_sched_class", NONE, NONE)
SECTION("__fair_sched_class", NONE, NONE)
SECTION("__ext_sched_class", NONE, NONE)
SECTION("__idle_sched_class", NONE, __sched_class_lowest)

/* Tables. */
SECTION("__ex_table", __start___ex_table, __stop___ex_table)
SECTION("__bug_table", __start___bug_table, __stop___bug_table)
SECTION("__jump_table", __start___jump_table, __stop___jump_table)
SECTION("__tracepoints_ptrs", __start___tracepoints_ptrs, __stop___tracepoints_ptrs)
SECTION("_ftrace_events", __start_ftrace_events, __stop_ftrace_events)
SECTION("_ftrace_eval_map", __start_ftrace_eval_maps, __stop_ftrace_eval_maps)
SECTION("__trace_printk_fmt", __start___trace_bprintk_fmt, __stop___trace_bprintk_fmt)
SECTION("__tracepoint_str", __start___tracepoint_str, __stop___tracepoint_str)
SECTION("__dyndbg", __start___dyndbg, __stop___dyndbg)
SECTION("__dyndbg_classes", __start___dyndbg_classes, __stop___dyndbg_classes)
SECTION("_error_injection_whitelist", __start_error_injection_whitelist, __stop_error_injection_whitelist)
SECTION(".builtin_fw", __start_builtin_fw, __end_builtin_fw)
SECTION(".lsm_info.init", __start_lsm_info, __end_lsm_info)
SECTION(".early_lsm_info.init", __start_early_lsm_info, __end_early_lsm_info)
SECTION(".note.Linux", __start_notes, __stop_notes)
SECTION("__earlycon_table", __earlycon_table, __earlycon_table_end)
SECTION(".kunit_test_suites", __kunit_suites_start, __kunit_suites_end)
SECTION(".kunit_init_test_suites", __kunit_init_suites_start, __kunit_init_suites_end)

/* What runs and is parsed at boot. */
SECTION(".init.setup", __setup_start, __setup_end)
SECTION(".initcallearly.init", __initcall_start, NONE)
SECTION(".initcall0.init", __initcall0_start, NONE)
SECTION(".initcall0s.init", NONE, NONE)
SECTION(".initcall1.init", __initcall1_start, NONE)
SECTION(".initcall1s.init", NONE, NONE)
SECTION(".initcall2.init", __initcall2_start, NONE)
SECTION(".initcall2s.init", NONE, NONE)
SECTION(".initcall3.init", __initcall3_start, NONE)
SECTION(".initcall3s.init", NONE, NONE)
SECTION(".initcall4.init", __initcall4_start, NONE)
SECTION(".initcall4s.init", NONE, NONE)
SECTION(".initcall5.init", __initcall5_start, NONE)
SECTION(".initcall5s.init", NONE, NONE)
SECTION(".initcallrootfs.init", NONE, NONE)
SECTION(".initcall6.init", __initcall6_start, NONE)
SECTION(".initcall6s.init", NONE, NONE)
SECTION(".initcall7.init", __initcall7_start, NONE)
SECTION(".initcall7s.init", NONE, __initcall_end)
SECTION(".con_initcall.init", __con_initcall_start, __con_initcall_end)
SECTION(".init.ramfs", __initramfs_start, NONE)
SECTION(".init.data", __init_begin, __init_end)

/* Data. */
SECTION(".rodata", __start_rodata, __end_rodata)
SECTION(".data", _sdata, NONE)
SECTION(".data..ro_after_init", __start_ro_after_init, __end_ro_after_init)
SECTION(".bss", __bss_start, __bss_stop)
SECTION(".bss", NONE, _end)

/* Code is not in memory: empty ranges. */
SECTION("bounds.text", _text, NONE)
SECTION("bounds.text", _stext, _etext)
SECTION("bounds.inittext", _sinittext, _einittext)
SECTION("bounds.ctext", __cpuidle_text_start, __cpuidle_text_end)
SECTION("bounds.stext", __sched_text_start, __sched_text_end)
SECTION("bounds.ltext", __lock_text_start, __lock_text_end)
SECTION("bounds.itext", __irqentry_text_start, __irqentry_text_end)
SECTION("bounds.sitext", __softirqentry_text_start, __softirqentry_text_end)
SECTION("bounds.ntext", __noinstr_text_start, __noinstr_text_end)
SECTION("bounds.etext", __entry_text_start, __entry_text_end)
SECTION("bounds.once", __start_once, __end_once)
