// SPDX-License-Identifier: GPL-2.0
/*
 * Programs. The file is a WebAssembly module. If its first section is a custom
 * one of ours, that says which translated program of the runtime this is, and
 * where in the file the initial memory lies: see runtime/abi/src/exec.rs. Any
 * other module is given to the runtime, which may have a translator for it.
 */
#include <linux/binfmts.h>
#include <linux/cred.h>
#include <linux/delay.h>
#include <linux/elf.h>
#include <linux/fs.h>
#include <linux/init.h>
#include <linux/kernel_read_file.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/personality.h>
#include <linux/ptrace.h>
#include <linux/random.h>
#include <linux/sched/signal.h>
#include <linux/sched/task_stack.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>
#include <asm/coredump.h>
#include <asm/fault.h>
#include <asm/linnet_abi.h>
#include <asm/processor.h>

/* Module header, section id and size, length of the name; then the name. */
#define SECTION_ID_OFFSET	8
#define SECTION_NAME_OFFSET	15

/* The addresses below are not mapped in any program. */
#define LOWEST_ADDRESS		SZ_64K

/* No module that is translated on exec is larger. */
#define MAX_MODULE		SZ_64M

/* Bounds of how long a task sleeps before it asks again for a translation. */
#define MIN_WAIT_US		100
#define MAX_WAIT_US		10000

struct program {
	u32 number;
	/* Translated on exec: there is a hold on it, and its image is the runtime's. */
	bool loaded;
};

struct image {
	unsigned long address;
	unsigned long offset;
	unsigned long size;
	unsigned long memory_end;
	unsigned long heap_base;
};

static bool has_exec_section(const struct linux_binprm *bprm)
{
	static const char section[] = LINNET_EXEC_SECTION;
	const char *name = bprm->buf + SECTION_NAME_OFFSET;

	return bprm->buf[SECTION_ID_OFFSET] == 0 &&
	       name[-1] == sizeof(section) - 1 &&
	       !memcmp(name, section, sizeof(section) - 1);
}

static bool read_image(const struct linnet_exec *header, struct image *image)
{
	u64 end;

	image->address = le32_to_cpu(header->image_address);
	image->offset = le32_to_cpu(header->image_offset);
	image->size = le32_to_cpu(header->image_size);
	image->memory_end = le32_to_cpu(header->memory_end);
	image->heap_base = le32_to_cpu(header->heap_base);

	end = (u64)image->address + image->size;
	return image->address >= LOWEST_ADDRESS &&
	       IS_ALIGNED(image->address | image->offset, LINNET_EXEC_IMAGE_ALIGN) &&
	       (u64)image->offset + image->size <= S32_MAX &&
	       end <= image->memory_end &&
	       image->memory_end <= image->heap_base &&
	       image->heap_base < TASK_SIZE - SZ_1M;
}

static int map_anonymous(unsigned long start, unsigned long end)
{
	unsigned long address;

	if (start >= end)
		return 0;
	address = vm_mmap(NULL, start, end - start, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, 0);
	return IS_ERR_VALUE(address) ? (int)address : 0;
}

/* Maps the image from the file and clears the rest of its last page. */
static int map_image(struct file *file, const struct image *image)
{
	unsigned long end = image->address + image->size;
	unsigned long address;

	if (!image->size)
		return 0;
	address = vm_mmap(file, image->address, image->size, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_FIXED, image->offset);
	if (IS_ERR_VALUE(address))
		return (int)address;
	return clear_user((void __user *)end, PAGE_ALIGN(end) - end) ? -EFAULT : 0;
}

/* Reads a part of the image. */
static ssize_t read_part(struct file *file, const struct program *program,
			 const struct image *image, unsigned long done, void *to, size_t size)
{
	loff_t position = image->offset + done;

	if (!program->loaded)
		return kernel_read(file, to, size, &position);
	host_program_image(program->number, image->address + done, (unsigned long)to, size);
	return size;
}

/* For pages larger than the image's alignment, and where no file has the image. */
static int copy_image(struct file *file, const struct program *program, const struct image *image)
{
	unsigned long done = 0;
	void *page = (void *)__get_free_page(GFP_KERNEL);
	int err = page ? 0 : -ENOMEM;

	while (!err && done < image->size) {
		unsigned long part = min(image->size - done, PAGE_SIZE);
		ssize_t n = read_part(file, program, image, done, page, part);

		if (n <= 0)
			err = n ?: -EIO;
		else if (copy_to_user((void __user *)(image->address + done), page, n))
			err = -EFAULT;
		else
			done += n;
	}
	free_page((unsigned long)page);
	return err;
}

static int map_memory(struct file *file, const struct program *program, const struct image *image)
{
	bool mappable = !program->loaded && IS_ALIGNED(image->address | image->offset, PAGE_SIZE);
	unsigned long start = image->address;
	int err;

	if (mappable)
		start = PAGE_ALIGN(image->address + image->size);
	err = map_anonymous(start & PAGE_MASK, PAGE_ALIGN(image->memory_end));
	if (err)
		return err;
	return mappable ? map_image(file, image) : copy_image(file, program, image);
}

static unsigned long *add_auxv(unsigned long *entry, unsigned long type, unsigned long value)
{
	entry[0] = type;
	entry[1] = value;
	return entry + 2;
}

static void fill_auxv(struct linux_binprm *bprm, unsigned long random)
{
	const struct cred *cred = current_cred();
	unsigned long *entry = current->mm->saved_auxv;

	memset(entry, 0, sizeof(current->mm->saved_auxv));
	entry = add_auxv(entry, AT_HWCAP, 0);
	entry = add_auxv(entry, AT_PAGESZ, PAGE_SIZE);
	entry = add_auxv(entry, AT_CLKTCK, CLOCKS_PER_SEC);
	entry = add_auxv(entry, AT_UID, from_kuid_munged(cred->user_ns, cred->uid));
	entry = add_auxv(entry, AT_EUID, from_kuid_munged(cred->user_ns, cred->euid));
	entry = add_auxv(entry, AT_GID, from_kgid_munged(cred->user_ns, cred->gid));
	entry = add_auxv(entry, AT_EGID, from_kgid_munged(cred->user_ns, cred->egid));
	entry = add_auxv(entry, AT_SECURE, bprm->secureexec);
	entry = add_auxv(entry, AT_RANDOM, random);
	entry = add_auxv(entry, AT_EXECFN, bprm->exec);
	add_auxv(entry, AT_NULL, 0);
}

static unsigned int auxv_words(void)
{
	const unsigned long *entry = current->mm->saved_auxv;

	while (*entry != AT_NULL)
		entry += 2;
	return entry + 2 - current->mm->saved_auxv;
}

/* Writes the addresses of count strings and a NULL; returns where the next string is. */
static long put_pointers(unsigned long __user **words, int count, unsigned long string)
{
	while (count-- > 0) {
		long length;

		if (put_user(string, (*words)++))
			return -EFAULT;
		length = strnlen_user((const char __user *)string, MAX_ARG_STRLEN);
		if (!length || length > MAX_ARG_STRLEN)
			return -EINVAL;
		string += length;
	}
	return put_user(0, (*words)++) ? -EFAULT : (long)string;
}

/*
 * Under the strings: argc, argv, NULL, envp, NULL, auxv, as for ELF. The stack
 * pointer is at argc.
 */
static int build_stack(struct linux_binprm *bprm)
{
	struct mm_struct *mm = current->mm;
	unsigned long __user *words;
	unsigned long sp = bprm->p;
	u8 random[16];
	long string;

	get_random_bytes(random, sizeof(random));
	sp = round_down(sp - sizeof(random), 16);
	if (copy_to_user((void __user *)sp, random, sizeof(random)))
		return -EFAULT;
	fill_auxv(bprm, sp);

	sp -= (1 + bprm->argc + 1 + bprm->envc + 1 + auxv_words()) * sizeof(*words);
	sp = round_down(sp, 16);
	bprm->p = sp;
	words = (unsigned long __user *)sp;

	if (put_user(bprm->argc, words++))
		return -EFAULT;
	string = put_pointers(&words, bprm->argc, mm->arg_start);
	if (IS_ERR_VALUE(string))
		return string;
	mm->arg_end = string;
	mm->env_start = string;
	string = put_pointers(&words, bprm->envc, string);
	if (IS_ERR_VALUE(string))
		return string;
	mm->env_end = string;
	return copy_to_user(words, mm->saved_auxv, auxv_words() * sizeof(*words)) ? -EFAULT : 0;
}

static struct linux_binfmt wasm_format;

/* Finds the program in the runtime. What is missing for that, or NULL. */
static const char *find_program(const struct linux_binprm *bprm, struct program *program,
				struct image *image)
{
	const struct linnet_exec *header = (void *)(bprm->buf + LINNET_EXEC_HEADER_OFFSET);
	u8 id[sizeof(header->id)];
	int number;

	if (!has_exec_section(bprm))
		return "WebAssembly module that is not translated";
	if (le32_to_cpu(header->abi_version) != LINNET_ABI_VERSION)
		return "translated for another ABI version";
	if (!read_image(header, image))
		return "invalid program header";
	memcpy(id, header->id, sizeof(id));
	number = host_program_find((unsigned long)id);
	if (number < 0)
		return "not one of the programs of this machine";
	program->number = number;
	program->loaded = false;
	return NULL;
}

/* Gives the module to the runtime: a number with a hold on it, or an error. */
static int give_module(struct linux_binprm *bprm)
{
	void *module = NULL;
	ssize_t size = kernel_read_file(bprm->file, 0, &module, MAX_MODULE, NULL, READING_UNKNOWN);
	int number;

	if (size < 0)
		return size == -EFBIG || size == -EINVAL ? -ENOEXEC : size;
	number = host_program_load((unsigned long)module, size);
	vfree(module);
	return number;
}

/* Waits until a translator is done with it. Other tasks run meanwhile. */
static int wait_for_program(const struct linux_binprm *bprm, u32 number)
{
	unsigned long wait = MIN_WAIT_US;
	char reason[160];
	int err;

	while ((err = host_program_state(number, (unsigned long)reason, sizeof(reason))) == -EAGAIN) {
		if (fatal_signal_pending(current))
			return -EINTR;
		usleep_range_state(wait, wait + wait / 8, TASK_KILLABLE);
		wait = min(wait + wait / 4, (unsigned long)MAX_WAIT_US);
	}
	if (err)
		pr_info_ratelimited("%s: not translated: %.*s\n", bprm->filename,
				    (int)sizeof(reason), reason);
	return err;
}

/* Has the module translated. missing is why it is not known already. */
static int load_program(struct linux_binprm *bprm, const char *missing, struct program *program,
			struct image *image)
{
	struct linnet_exec header;
	int number = give_module(bprm);
	int err;

	if (number == -ENOSYS) {
		pr_info_ratelimited("%s: %s, and the machine was started without --translator\n",
				    bprm->filename, missing);
		return -ENOEXEC;
	}
	if (number < 0) {
		pr_info_ratelimited("%s: not translated: error %d\n", bprm->filename, number);
		return number;
	}
	err = wait_for_program(bprm, number);
	if (!err) {
		host_program_header(number, (unsigned long)&header);
		err = read_image(&header, image) ? 0 : -ENOEXEC;
	}
	if (err) {
		host_program_drop(number);
		return err;
	}
	program->number = number;
	program->loaded = true;
	return 0;
}

static int start_program(struct linux_binprm *bprm, const struct program *program,
			 const struct image *image)
{
	struct mm_struct *mm;
	int err;

	err = begin_new_exec(bprm);
	if (err)
		return err;
	set_personality(PER_LINUX);
	setup_new_exec(bprm);
	mm = current->mm;

	err = setup_arg_pages(bprm, STACK_TOP, EXSTACK_DEFAULT);
	if (err)
		return err;
	err = map_memory(bprm->file, program, image);
	if (err)
		return err;
	set_binfmt(&wasm_format);
	mm->start_data = image->address;
	mm->end_data = image->memory_end;
	mm->start_brk = PAGE_ALIGN(image->heap_base);
	mm->brk = mm->start_brk;

	err = build_stack(bprm);
	if (err)
		return err;
	mm->start_stack = bprm->p;
	finalize_exec(bprm);
	tlb_expect(mm, bprm->p);
	mm->context.is_loaded = program->loaded;
	start_thread(current_pt_regs(), 0, bprm->p);
	host_user_exec(mm->context.host_mm, program->number, bprm->p);
	return 0;
}

static int load_wasm(struct linux_binprm *bprm)
{
	struct program program;
	struct image image;
	const char *missing;
	int err;

	if (memcmp(bprm->buf, "\0asm\1\0\0\0", SECTION_ID_OFFSET))
		return -ENOEXEC;
	missing = find_program(bprm, &program, &image);
	if (missing) {
		err = load_program(bprm, missing, &program, &image);
		if (err)
			return err;
	}
	err = start_program(bprm, &program, &image);
	if (err && program.loaded)
		host_program_drop(program.number);
	return err;
}

static struct linux_binfmt wasm_format = {
	.module = THIS_MODULE,
	.load_binary = load_wasm,
#ifdef CONFIG_ELF_CORE
	.core_dump = dump_core,
	.min_coredump = PAGE_SIZE,
#endif
};

static int __init register_wasm_format(void)
{
	register_binfmt(&wasm_format);
	return 0;
}
core_initcall(register_wasm_format);
