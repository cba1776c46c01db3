// SPDX-License-Identifier: GPL-2.0
/* Memory that stays free goes back to the host. */
#include <linux/init.h>
#include <linux/page_reporting.h>
#include <linux/scatterlist.h>
#include <linux/sizes.h>
#include <asm/linnet_abi.h>

static int report(struct page_reporting_dev_info *device, struct scatterlist *list,
		  unsigned int count)
{
	struct scatterlist *entry;
	unsigned int i;

	for_each_sg(list, entry, count, i)
		host_ram_discard(page_to_pfn(sg_page(entry)), entry->length >> PAGE_SHIFT);
	return 0;
}

static struct page_reporting_dev_info device = {
	.report = report,
};

static int __init reporting_init(void)
{
	device.order = get_order(SZ_64K);
	return page_reporting_register(&device);
}
device_initcall(reporting_init);
