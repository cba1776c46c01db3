/* As much of libcap as the kernel's selftests use. */
#include <linux/capability.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

typedef int cap_value_t;
typedef enum { CAP_EFFECTIVE, CAP_PERMITTED, CAP_INHERITABLE } cap_flag_t;
typedef enum { CAP_CLEAR, CAP_SET } cap_flag_value_t;
typedef struct {
	struct __user_cap_header_struct header;
	struct __user_cap_data_struct data[2];
} *cap_t;

static inline cap_t cap_get_proc(void)
{
	cap_t caps = calloc(1, sizeof *caps);
	caps->header.version = _LINUX_CAPABILITY_VERSION_3;
	syscall(SYS_capget, &caps->header, caps->data);
	return caps;
}

static inline unsigned *cap_word(cap_t caps, cap_value_t value, cap_flag_t flag)
{
	struct __user_cap_data_struct *data = &caps->data[CAP_TO_INDEX(value)];
	return flag == CAP_EFFECTIVE ? &data->effective : flag == CAP_PERMITTED ? &data->permitted : &data->inheritable;
}

static inline int cap_get_flag(cap_t caps, cap_value_t value, cap_flag_t flag, cap_flag_value_t *result)
{
	*result = *cap_word(caps, value, flag) & CAP_TO_MASK(value) ? CAP_SET : CAP_CLEAR;
	return 0;
}

static inline int cap_set_flag(cap_t caps, cap_flag_t flag, int n, const cap_value_t *values, cap_flag_value_t to)
{
	for (int i = 0; i < n; i++)
		if (to == CAP_SET)
			*cap_word(caps, values[i], flag) |= CAP_TO_MASK(values[i]);
		else
			*cap_word(caps, values[i], flag) &= ~CAP_TO_MASK(values[i]);
	return 0;
}

static inline int cap_set_proc(cap_t caps)
{
	return syscall(SYS_capset, &caps->header, caps->data);
}

static inline int cap_free(void *caps)
{
	free(caps);
	return 0;
}
