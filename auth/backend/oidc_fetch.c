/* oidc_fetch.c - the one place that sees libcurl. */
#include "auth/backend/oidc_fetch.h"

#include <string.h>

#include <curl/curl.h>

/* Two downloads together stay well below what a runner may take for a step. */
enum { CONNECT_MS = 5000, TOTAL_MS = 10000, HTTP_OK = 200 };

static size_t on_data(char *data, size_t size, size_t n, void *arg)
{
	struct buf *out = arg;

	buf_put(out, data, size * n);
	return out->failed ? 0 : size * n;
}

/* The discovery document must not lead us to where nobody proves who he is. */
static const char *protocols_of(const struct oidc *conf)
{
	if (str_starts(conf->url, "https:"))
		return "https";
	return str_starts(conf->url, "http:") ? "http,https" : "file,http,https";
}

/* Redirections are not followed: providers have fixed URLs.  The rest of what matters (the
 * certificate and its names are checked) is the library's default. */
static CURLcode set_up(CURL *curl, const struct oidc *conf, const char *url, struct buf *out,
		       char reason[CURL_ERROR_SIZE])
{
	CURLcode code = curl_easy_setopt(curl, CURLOPT_URL, url);

	if (!code)
		code = curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, protocols_of(conf));
	if (!code)
		code = curl_easy_setopt(curl, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2);
	if (!code && conf->ca_file) {
		code = curl_easy_setopt(curl, CURLOPT_CAINFO, conf->ca_file);
		if (!code)
			code = curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
	}
	if (!code)
		code = curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
	if (!code)
		code = curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)TOTAL_MS);
	if (!code)
		code = curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_data);
	if (!code)
		code = curl_easy_setopt(curl, CURLOPT_WRITEDATA, out);
	if (!code)
		code = curl_easy_setopt(curl, CURLOPT_USERAGENT, "sallyport");
	return code ? code : curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, reason);
}

static enum err err_of(CURLcode code, const struct buf *out)
{
	if (out->failed)
		return ERR_TOO_LONG;
	if (code == CURLE_OPERATION_TIMEDOUT)
		return ERR_TIMEOUT;
	return code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CONNECT_ERROR ? ERR_TLS
											 : ERR_SYS;
}

enum err oidc_fetch(TALLOC_CTX *ctx, const struct oidc *conf, const char *url, struct buf *out,
		    const char **why)
{
	CURL *curl = curl_easy_init();
	char reason[CURL_ERROR_SIZE] = "";
	long status = 0;
	CURLcode code = curl ? set_up(curl, conf, url, out, reason) : CURLE_OUT_OF_MEMORY;

	if (!code)
		code = curl_easy_perform(curl);
	if (!code)
		code = curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_cleanup(curl);
	if (code) {
		*why = talloc_asprintf(ctx, "%s: %s", url,
				       *reason ? reason : curl_easy_strerror(code));
		return err_of(code, out);
	}
	/* Files have no status. */
	if (status && status != HTTP_OK) {
		*why = talloc_asprintf(ctx, "%s: HTTP status %ld", url, status);
		return ERR_SYS;
	}
	return ERR_OK;
}
