#include "config.h"

#include "order.h"

#include <endian.h>
#include <string.h>

static const unsigned char order_magic[8] = "benchord";

void
order_encode(const struct order *order, unsigned char out[ORDER_SIZE])
{
	uint64_t numbers[2] = {
		htobe64(order->upload), htobe64(order->download)};

	memcpy(out, order_magic, sizeof order_magic);
	memcpy(out + sizeof order_magic, numbers, sizeof numbers);
}

bool
order_decode(const unsigned char bytes[ORDER_SIZE], struct order *out)
{
	uint64_t numbers[2];

	if (memcmp(bytes, order_magic, sizeof order_magic) != 0)
		return false;
	memcpy(numbers, bytes + sizeof order_magic, sizeof numbers);
	numbers[0] = be64toh(numbers[0]);
	numbers[1] = be64toh(numbers[1]);
	if (numbers[0] < ORDER_SIZE || numbers[1] < ORDER_SIZE)
		return false;
	out->upload = numbers[0];
	out->download = numbers[1];
	return true;
}
