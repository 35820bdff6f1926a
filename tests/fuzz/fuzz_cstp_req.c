/* fuzz_cstp_req.c - the headers of CONNECT, from the request to MTU, DTLS mode and response. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <talloc.h>

#include "wire/cstp_req.h"
#include "wire/cstp_resp.h"
#include "wire/http_client.h"
#include "wire/mtu.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_mtu(const struct cstp_request *r, struct cstp_response *resp)
{
	struct mtu_claims claims = {
		.base_mtu = r->base_mtu,
		.client_mtu = r->mtu,
		.outer_v6 = r->want_v6,
		.inner_v6 = r->full_ipv6,
	};

	resp->base_mtu = mtu_link(&claims);
	resp->mtu =
		mtu_data_exact(resp->base_mtu, claims.outer_v6, resp->dtls.cipher, resp->dtls.mac);
	if (resp->base_mtu < MTU_LINK_MIN4 || resp->base_mtu > MTU_HEADER_MAX || !resp->mtu ||
	    resp->mtu >= resp->base_mtu)
		abort();
}

static void respond(TALLOC_CTX *ctx, const struct http_request *req, const struct cstp_request *r)
{
	struct dtls_policy policy = {
		.udp = true,
		.psk = !r->mobile,
		.legacy = true,
		.own_tls = true,
		.tls_cipher = SUITE_AES_128_GCM,
	};
	struct cstp_response resp = {
		.agent = client_agent_parse(http_header(req, "User-Agent")),
		.full_ipv6 = r->full_ipv6,
		.hostname = r->hostname,
		.dtls = dtls_choose(&policy, &r->dtls),
		.udp_port = 443,
		.banner = req->query,
	};
	struct buf b;

	(void)addr_net_parse("10.0.0.2/24", &resp.v4);
	(void)addr_net_parse("fd00::2/64", &resp.v6);
	check_mtu(r, &resp);
	buf_init(&b, ctx, CSTP_RESPONSE_MAX);
	cstp_response_build(&b, &resp);
	if (b.failed || !strstr(b.data, "\r\nX-CSTP-MTU: ") ||
	    strstr(b.data, "\r\n\r\n") != b.data + b.len - 4)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	TALLOC_CTX *ctx = talloc_new(NULL);
	struct http_parser *p = http_parser_new(ctx);
	static const char line[] = "CONNECT /CSCOSSLC/tunnel?x HTTP/1.1\r\n";
	struct cstp_request *r;

	(void)http_parser_feed(p, line, sizeof line - 1);
	if (size && http_parser_feed(p, data, size) == ERR_OK &&
	    cstp_request_parse(ctx, http_parser_request(p), &r) == ERR_OK)
		respond(ctx, http_parser_request(p), r);
	talloc_free(ctx);
	return 0;
}
