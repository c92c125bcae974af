/* SPDX-License-Identifier: MIT */
#include "tools/web_search_schema.h"

/* One property: name, members before the description, description. */
#define PROPERTY(name, members, description) \
	"\"" name "\":{" members ",\"description\":\"" description "\"}"
#define FLAG(name, description) PROPERTY(name, "\"type\":\"boolean\",\"default\":false", description)
#define DOMAINS(name, max, description) \
	PROPERTY(name, "\"type\":\"array\",\"maxItems\":" max "," \
	    "\"items\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":253}", \
	    description)
#define DATE(name, description) \
	PROPERTY(name, "\"type\":\"string\",\"minLength\":10,\"maxLength\":10,\"format\":\"date\"", description)

/* The names that Tavily knows, in its spelling. */
#define COUNTRIES \
	"\"afghanistan\",\"albania\",\"algeria\",\"andorra\",\"angola\",\"argentina\",\"armenia\"," \
	"\"australia\",\"austria\",\"azerbaijan\",\"bahamas\",\"bahrain\",\"bangladesh\",\"barbados\"," \
	"\"belarus\",\"belgium\",\"belize\",\"benin\",\"bhutan\",\"bolivia\",\"bosnia and herzegovina\"," \
	"\"botswana\",\"brazil\",\"brunei\",\"bulgaria\",\"burkina faso\",\"burundi\",\"cambodia\"," \
	"\"cameroon\",\"canada\",\"cape verde\",\"central african republic\",\"chad\",\"chile\",\"china\"," \
	"\"colombia\",\"comoros\",\"congo\",\"costa rica\",\"croatia\",\"cuba\",\"cyprus\"," \
	"\"czech republic\",\"denmark\",\"djibouti\",\"dominican republic\",\"ecuador\",\"egypt\"," \
	"\"el salvador\",\"equatorial guinea\",\"eritrea\",\"estonia\",\"ethiopia\",\"fiji\",\"finland\"," \
	"\"france\",\"gabon\",\"gambia\",\"georgia\",\"germany\",\"ghana\",\"greece\",\"guatemala\"," \
	"\"guinea\",\"haiti\",\"honduras\",\"hungary\",\"iceland\",\"india\",\"indonesia\",\"iran\",\"iraq\"," \
	"\"ireland\",\"israel\",\"italy\",\"jamaica\",\"japan\",\"jordan\",\"kazakhstan\",\"kenya\"," \
	"\"kuwait\",\"kyrgyzstan\",\"latvia\",\"lebanon\",\"lesotho\",\"liberia\",\"libya\"," \
	"\"liechtenstein\",\"lithuania\",\"luxembourg\",\"madagascar\",\"malawi\",\"malaysia\",\"maldives\"," \
	"\"mali\",\"malta\",\"mauritania\",\"mauritius\",\"mexico\",\"moldova\",\"monaco\",\"mongolia\"," \
	"\"montenegro\",\"morocco\",\"mozambique\",\"myanmar\",\"namibia\",\"nepal\",\"netherlands\"," \
	"\"new zealand\",\"nicaragua\",\"niger\",\"nigeria\",\"north korea\",\"north macedonia\",\"norway\"," \
	"\"oman\",\"pakistan\",\"panama\",\"papua new guinea\",\"paraguay\",\"peru\",\"philippines\"," \
	"\"poland\",\"portugal\",\"qatar\",\"romania\",\"russia\",\"rwanda\",\"saudi arabia\",\"senegal\"," \
	"\"serbia\",\"singapore\",\"slovakia\",\"slovenia\",\"somalia\",\"south africa\",\"south korea\"," \
	"\"south sudan\",\"spain\",\"sri lanka\",\"sudan\",\"sweden\",\"switzerland\",\"syria\",\"taiwan\"," \
	"\"tajikistan\",\"tanzania\",\"thailand\",\"togo\",\"trinidad and tobago\",\"tunisia\",\"turkey\"," \
	"\"turkmenistan\",\"uganda\",\"ukraine\",\"united arab emirates\",\"united kingdom\"," \
	"\"united states\",\"uruguay\",\"uzbekistan\",\"venezuela\",\"vietnam\",\"yemen\",\"zambia\"," \
	"\"zimbabwe\""

const char web_search_input_schema[] =
	"{\"type\":\"object\",\"properties\":{"
	PROPERTY("query", "\"type\":\"string\",\"minLength\":1,\"maxLength\":400",
	    "What to search for, at most 400 characters.") ","
	PROPERTY("search_depth", "\"type\":\"string\",\"enum\":[\"basic\",\"advanced\",\"fast\",\"ultra-fast\"],"
	    "\"default\":\"basic\"",
	    "How thorough the search is. advanced is the most precise, and slower; fast and ultra-fast save time.") ","
	PROPERTY("topic", "\"type\":\"string\",\"enum\":[\"general\",\"news\",\"finance\"],\"default\":\"general\"",
	    "Kind of sources: news for current events, finance for markets, else general.") ","
	PROPERTY("max_results", "\"type\":\"integer\",\"minimum\":0,\"maximum\":20,\"default\":5",
	    "How many results at most.") ","
	PROPERTY("chunks_per_source", "\"type\":\"integer\",\"minimum\":1,\"maximum\":3,\"default\":3",
	    "How many excerpts of a source make up its content. Not with search_depth ultra-fast.") ","
	PROPERTY("time_range", "\"type\":\"string\","
	    "\"enum\":[\"day\",\"week\",\"month\",\"year\",\"d\",\"w\",\"m\",\"y\"]",
	    "Only sources of the last day, week, month or year. Not used when start_date or end_date is given.") ","
	DATE("start_date", "Only sources from this day on, YYYY-MM-DD.") ","
	DATE("end_date", "Only sources up to this day, YYYY-MM-DD.") ","
	PROPERTY("days", "\"type\":\"integer\",\"minimum\":1,\"maximum\":3650",
	    "Only news of so many last days. Only with topic news; time_range is the newer way.") ","
	DOMAINS("include_domains", "300", "Only results from these domains.") ","
	DOMAINS("exclude_domains", "150", "No results from these domains.") ","
	PROPERTY("country", "\"type\":\"string\",\"enum\":[" COUNTRIES "]",
	    "Prefer sources from this country. Only with topic general.") ","
	PROPERTY("include_answer", "\"type\":[\"boolean\",\"string\"],\"enum\":[true,false,\"basic\",\"advanced\"],"
	    "\"default\":false",
	    "Add a short answer written from the results; advanced gives a longer one.") ","
	PROPERTY("include_raw_content", "\"type\":[\"boolean\",\"string\"],"
	    "\"enum\":[true,false,\"markdown\",\"text\"],\"default\":false",
	    "Add the whole text of each page, as markdown or as plain text.") ","
	FLAG("include_images", "Add images that fit the query.") ","
	FLAG("include_image_descriptions", "Describe each image. Only with include_images.") ","
	FLAG("include_favicon", "Add the URL of each site's icon.") ","
	FLAG("auto_parameters",
	    "Let the search service choose what is not given; it may choose search_depth advanced.") ","
	FLAG("exact_match", "Only results with the phrases that stand in quotation marks in the query.") ","
	FLAG("safe_search",
	    "Leave out unsafe content. Not with search_depth fast or ultra-fast; needs an enterprise plan.") ","
	FLAG("include_usage", "Add how many credits the search cost.")
	"},\"required\":[\"query\"],\"additionalProperties\":false}";

#define STRING(name) "\"" name "\":{\"type\":\"string\"}"
#define IMAGES \
	"\"images\":{\"type\":\"array\",\"items\":{\"type\":\"object\"," \
	"\"properties\":{" STRING("url") "," STRING("description") "}," \
	"\"required\":[\"url\"]}}"

const char web_search_output_schema[] =
	"{\"type\":\"object\",\"properties\":{"
	STRING("query") ","
	STRING("answer") ","
	"\"results\":{\"type\":\"array\",\"items\":{\"type\":\"object\",\"properties\":{"
	STRING("title") "," STRING("url") "," STRING("content") ",\"score\":{\"type\":\"number\"},"
	STRING("published_date") "," STRING("raw_content") "," STRING("favicon") "," IMAGES
	"},\"required\":[\"title\",\"url\",\"content\"]}},"
	IMAGES ","
	"\"auto_parameters\":{\"type\":\"object\",\"properties\":{" STRING("topic") "," STRING("search_depth") "}},"
	"\"usage\":{\"type\":\"object\",\"properties\":{\"credits\":{\"type\":\"number\"}}},"
	"\"response_time\":{\"type\":\"number\"},"
	STRING("request_id") ","
	PROPERTY("truncated", "\"type\":\"boolean\"", "Whether text was cut because the results were very long.")
	"},\"required\":[\"query\",\"results\"]}";
