/** Generated from openapi.yaml by `npm run client:types`: change nothing here by hand. */

export interface paths {
    "/v1/search": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Finds the pictures that look like the one asked for, and its likely labels.
         * @description What is asked for is a picture, or in JSON also a picture of the collection by its id, a vector, or several
         *     positive and negative examples. A picture is either the file field `image` of a multipart form, the whole body,
         *     or base64 in JSON. What it is, is seen from its bytes, not from its name or content type. Parameters are given in
         *     the query or, with a form or JSON, in the body; a name given in both is refused, and so is an unknown one.
         *
         *     Pictures that are asked for by id, alone or as examples, are left out of the neighbours and of the vote. Examples
         *     make one direction: the mean of the positive ones less `beta` times the mean of the negative ones.
         *
         *     The body is not read before key, query, content type and announced length have been checked. Uploads in memory
         *     and running searches are bounded: when as many wait as may wait, the answer is `503`.
         */
        post: operations["search"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/search/batch": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Answers up to 64 queries at once, each by itself.
         * @description Pictures come in a multipart form, the file field `image` repeated; a raw body is a batch of one; JSON holds
         *     `queries` of every kind that a single search knows. All of them share the parameters. There is one result a
         *     query, in their order: the answer that the query alone would have, or an `error`, which fails no other query. The
         *     request as a whole is refused only where what the queries share is wrong.
         *
         *     The pictures are decoded in parallel, embedded together and searched together. A batch may have half of the
         *     server's memory for uploads, and takes as many places among the running searches as it has pictures.
         */
        post: operations["searchBatch"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/embeddings": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Turns up to 64 pictures into vectors; nothing is searched or stored.
         * @description Pictures come in a multipart form (the file field `image`, repeated), as the whole body, or in JSON as base64.
         *     There is one entry a picture, in their order: its vector, of unit length, or an `error`, which fails no other.
         */
        post: operations["embed"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/info": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Says which model, collection, index and engines are in use, and what is allowed. */
        get: operations["getInfo"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/images": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Lists the pictures of a collection, page by page.
         * @description `next_cursor`, or the header `Link` with `rel="next"`, leads to the next page; it is null on the last one. A page
         *     goes on behind the last picture of the one before, whatever was added or removed meanwhile. `label` and `where` filter
         *     as they do in a search, except that a label that no picture has gives an empty list.
         */
        get: operations["listImages"];
        put?: never;
        /**
         * Adds a picture; the very next search finds it.
         * @description Parameters are given in the query or, with a form, as form fields. Without `id` the picture gets one. What of the
         *     file is kept is a setting of the server (`LOOKALIKE_KEEP`).
         *
         *     `on_duplicate` says what happens when the collection holds the picture already: the very same file, or one whose
         *     vector has at least the cosine `near` to it, with `orientations=true` also when it is mirrored or turned by
         *     quarters. `allow` stores it nevertheless, `reject` answers `409` with the ids, `link` answers `200` with the best
         *     of those that are there and stores nothing. Of several that come at once, the second sees the first.
         */
        post: operations["addImage"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/images/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Shows a picture, without its file. */
        get: operations["getImage"];
        /**
         * Stores a picture under this id, in place of the one that is there.
         * @description All of it is replaced: a label or metadata that is not given is gone. `created_at` stays. `If-Match` replaces only the
         *     picture with this `ETag`, `If-None-Match: *` only makes a new one; both are judged again in the turn of the write.
         */
        put: operations["putImage"];
        post?: never;
        /**
         * Removes a picture; no search finds it from now on.
         * @description What was kept of its file, and its thumbnail, are gone when the answer comes, unless another picture is of the same
         *     file. A picture that came from a folder stays in that folder, and comes back when the folder is imported again.
         */
        delete: operations["removeImage"];
        options?: never;
        head?: never;
        /**
         * Changes label and metadata of a picture.
         * @description A JSON merge patch (RFC 7396): what is not named stays, null removes. In `metadata`, too, only what is named changes;
         *     `"metadata": null` empties it.
         */
        patch: operations["editImage"];
        trace?: never;
    };
    "/v1/images/{id}/thumbnail": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A small WebP of a picture, re-encoded by the service; never the file itself. */
        get: operations["getThumbnail"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/collections": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Lists the collections by name. */
        get: operations["listCollections"];
        put?: never;
        /**
         * Makes an empty collection.
         * @description Its model is the one that the server was started with.
         */
        post: operations["createCollection"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/collections/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Shows a collection. */
        get: operations["getCollection"];
        put?: never;
        post?: never;
        /**
         * Removes a collection with all that is in it.
         * @description Its jobs are cancelled, and searches that are under way end first. The collection `default` can only be emptied.
         */
        delete: operations["removeCollection"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/imports": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Starts a job that takes in many pictures, or ready vectors.
         * @description **What is sent** is the whole body, and may be larger than memory: a tar (plain or gzipped) or a zip of picture files,
         *     lines of JSON, or with `holds=bank` a tar of a bank's files. It is on the disk, with its checksum, before the answer
         *     comes: a restart goes on with it, and it is removed when the job has ended. **What lies on the machine of the
         *     service** is named by a JSON body, below the folders of `LOOKALIKE_IMPORT_ROOTS` only: a folder, or a file of one
         *     of those kinds, or a `.npy` or `.safetensors` with the lines of its items.
         *
         *     In an archive every JPEG, PNG and WebP file (by its extension) is a picture: its path is the id, the first folder of
         *     the path the label; hidden files and others are passed over. A folder is followed file by file and its pictures stay
         *     where they are; everything else that is a file is kept as `LOOKALIKE_KEEP` says.
         *
         *     A line is `{"image": base64}`, `{"path": "…"}` (below the allowed folders) or `{"vector": [numbers]}` of unit length
         *     from the collection's model, with `id`, `label`, `metadata` and `sha256` as it likes. A bank is one `.npy` or
         *     `.safetensors` of such vectors, and beside it `items.ndjson`, line i for row i: `id`, `label`, `metadata`, `sha256`, `source`.
         *
         *     What is there under its id with the same bytes is passed over and counted as unchanged, so that the same import again
         *     changes nothing; other bytes take its place. An entry that cannot be taken costs one line of
         *     `/v1/imports/{id}/errors`. Imports into a collection wait for each other.
         */
        post: operations["startImport"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/imports/{id}/errors": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Shows what an import could not take.
         * @description One line of JSON an entry, in the order of the import: `place` (the path in an archive, `line 17`, `row 3`), `id` where
         *     it is known, `code` and `message`. It grows while the import runs, and has at most 100,000 lines; the job's
         *     `failures` counts all. The reports of the last 100 imports are kept.
         */
        get: operations["getImportErrors"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/reindex": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Starts a job that makes the index anew, from the bank or with another model.
         * @description Without `model` the index is built anew from the vectors that are there.
         *
         *     With `model` all stored pictures are embedded by that model in the background, an index is built of its vectors,
         *     and both models are compared over up to 500 pictures: `result.report` of the job has the overlap of the ten
         *     nearest neighbours, the share of changed labels, the drift of the scores, and the accuracy of both where pictures
         *     have labels. Then one switch; with `switch=manual` the job ends with `result.awaiting_switch`, and
         *     `/v1/reindex/switch` does it.
         *
         *     The old model answers until the switch, and what is added or removed meanwhile is in both. A run that is cut off
         *     or cancelled leaves its vectors for the next one. Pictures that cannot be read any more are listed in
         *     `result.missing`; unless `missing=drop` is given they stop the switch: the job fails with the words of
         *     `pictures_missing`. The vectors of the model before are kept for `/v1/reindex/rollback` until the next switch.
         */
        post: operations["reindex"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/reindex/switch": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Starts a job that switches to the model that an earlier reindex prepared.
         * @description What was added since is embedded first; then the same one switch as that of `/v1/reindex`.
         */
        post: operations["switchModel"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/reindex/rollback": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Starts a job that goes back to the model before the last switch.
         * @description `previous_model` of `/v1/info` says which. What was added since is embedded with it first. Going back once more
         *     goes forward again.
         */
        post: operations["rollbackModel"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/jobs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Lists the jobs, the newest first.
         * @description `next_cursor`, or the header `Link` with `rel="next"`, leads to the next page; it is null on the last one.
         */
        get: operations["listJobs"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/jobs/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Shows one job. */
        get: operations["getJob"];
        put?: never;
        post?: never;
        /**
         * Ends a job at its next safe point, or before it begins.
         * @description What it has done stays done. The answer shows the job, which may still run for a moment.
         */
        delete: operations["cancelJob"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/jobs/{id}/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Tells every change of a job, as server-sent events, until it ends.
         * @description Each event has the type `job`, the whole job as JSON in `data`, and a number in `id` that grows with every change,
         *     also over a restart of the service. At most four events come in a second; what changed between two is in the
         *     later one. A comment comes at least every 15 seconds. So many may listen; the next is answered `503`.
         */
        get: operations["watchJob"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/models": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Lists the encoders that collections may be of. */
        get: operations["listModels"];
        put?: never;
        /**
         * Brings an encoder; it is inspected, then kept.
         * @description The body is a tar of a model's folder: one that `lookalike train` wrote (`encoder.onnx`, `manifest.json`), or any
         *     folder with one `.onnx` file and a Hugging Face `preprocessor_config.json` or a `preprocess.json` of ours. The encoder
         *     is run on pictures made here: one picture in, one finite vector of 16 to 2,048 numbers out. What cannot be used is
         *     refused with what was found. `lookalike model add <folder>` packs and sends it. The same model again changes nothing,
         *     with or without an `Idempotency-Key`.
         */
        post: operations["addModel"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/models/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One model, by its SHA-256. */
        get: operations["getModel"];
        put?: never;
        post?: never;
        /** Removes a model that no collection has vectors of. */
        delete: operations["removeModel"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/duplicates": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Groups of pictures that are the same or nearly so.
         * @description Two pictures belong together when their cosine is at least `min_score`, or their files are equal, byte for byte;
         *     a group is what hangs together by such pairs. The 20 nearest of each picture are looked at, and the 10,000
         *     largest groups are kept.
         *
         *     The first call starts a job that makes the report and answers `202`; call again until it is `200`. A report that
         *     pictures came into or went from since, or that got other labels, is answered with `stale: true` while a job makes
         *     it anew. One job at a time makes a report. Pictures that are gone are left out of the answer at once.
         */
        get: operations["listDuplicates"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/reports/labels": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Pictures whose label their neighbours disagree with, and how well each label hangs together.
         * @description The others vote about each labelled picture as they would about an upload, itself and its near-duplicates (cosine
         *     0.98 or more) left out. A picture is in doubt when they vote for another label at least as surely as they do, on
         *     average, for pictures that carry that label (confident learning, Northcutt and others 2021). A label that one
         *     picture alone has is not judged. The 10,000 surest doubts are kept; one that was given another label is left out.
         *
         *     The first call starts a job that makes the report and answers `202`; call again until it is `200`. A report that
         *     pictures came into or went from since, or that got other labels, is answered with `stale: true` while a job makes
         *     it anew. One job at a time makes a report. Pictures that are gone are left out of the answer at once.
         */
        get: operations["getLabelReport"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/snapshots": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Lists the snapshots that lie in the data folder. */
        get: operations["listSnapshots"];
        put?: never;
        /**
         * Starts a job that writes a snapshot of the whole data folder.
         * @description One tar file of a single moment: the database, the kept pictures and the models, with the SHA-256 of each. Searches
         *     and writes go on meanwhile. Indexes are not in it; they are made anew after a restore. A picture that is deleted
         *     later stays in the snapshots written before: delete those too where it has to be gone.
         *     `lookalike restore <file>` puts one back.
         */
        post: operations["createSnapshot"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/snapshots/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The file of a snapshot. */
        get: operations["getSnapshot"];
        put?: never;
        post?: never;
        /** Removes a snapshot. */
        delete: operations["deleteSnapshot"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/livez": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Says that the process answers; restart it when it does not. */
        get: operations["getLiveness"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/readyz": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Says whether searches give the full answer now. */
        get: operations["getReadiness"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/metrics": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The metrics in the Prometheus text format. */
        get: operations["getMetrics"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/openapi.yaml": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** This contract. */
        get: operations["getContract"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/docs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** This contract as a page to read. */
        get: operations["getReference"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The search page. */
        get: operations["getPage"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /** @description A form with the picture; the other fields are the parameters of the query. */
        SearchForm: {
            /**
             * Format: binary
             * @description The picture's file.
             */
            image: string;
            collection?: components["schemas"]["CollectionName"];
            k?: components["schemas"]["K"];
            vote_k?: components["schemas"]["VoteK"];
            temperature?: components["schemas"]["Temperature"];
            min_score?: components["schemas"]["MinScore"];
            label?: components["schemas"]["Labels"];
            where?: components["schemas"]["WhereText"];
            mode?: components["schemas"]["Mode"];
            ef?: components["schemas"]["Ef"];
            beta?: components["schemas"]["Beta"];
        };
        /** @description A form with pictures; the other fields are the parameters of the query. */
        BatchForm: {
            image: components["schemas"]["PictureFiles"];
            collection?: components["schemas"]["CollectionName"];
            k?: components["schemas"]["K"];
            vote_k?: components["schemas"]["VoteK"];
            temperature?: components["schemas"]["Temperature"];
            min_score?: components["schemas"]["MinScore"];
            label?: components["schemas"]["Labels"];
            where?: components["schemas"]["WhereText"];
            mode?: components["schemas"]["Mode"];
            ef?: components["schemas"]["Ef"];
            beta?: components["schemas"]["Beta"];
        };
        /** @description A form with pictures. */
        EmbeddingsForm: {
            image: components["schemas"]["PictureFiles"];
            collection?: components["schemas"]["CollectionName"];
            encoding?: components["schemas"]["Encoding"];
        };
        /** @description The pictures' files. */
        PictureFiles: string[];
        /** @description What lies on the machine of the service. A relative path starts at each allowed folder in turn. */
        ImportBody: {
            /** @description A folder, or a file `.tar`, `.tar.gz`, `.tgz`, `.zip`, `.ndjson`, `.jsonl`, `.npy` or `.safetensors`. */
            path: string;
            /** @description With vectors, the lines of their items; without it, ids are row numbers. */
            items?: string;
        };
        /** @description Exactly one of `image`, `id`, `vector` and `examples`, and parameters beside it. */
        SearchBody: {
            image?: components["schemas"]["PictureText"];
            id?: components["schemas"]["PictureId"];
            vector?: components["schemas"]["Vector"];
            examples?: components["schemas"]["Examples"];
            collection?: components["schemas"]["CollectionName"];
            k?: components["schemas"]["K"];
            vote_k?: components["schemas"]["VoteK"];
            temperature?: components["schemas"]["Temperature"];
            min_score?: components["schemas"]["MinScore"];
            label?: components["schemas"]["LabelOrLabels"];
            where?: components["schemas"]["Where"];
            mode?: components["schemas"]["Mode"];
            ef?: components["schemas"]["Ef"];
            beta?: components["schemas"]["Beta"];
        } & (unknown | unknown | unknown | unknown);
        /** @description Queries, and the parameters that they share. */
        BatchBody: {
            /** @description Each is answered by itself. */
            queries: components["schemas"]["BatchQuery"][];
            collection?: components["schemas"]["CollectionName"];
            k?: components["schemas"]["K"];
            vote_k?: components["schemas"]["VoteK"];
            temperature?: components["schemas"]["Temperature"];
            min_score?: components["schemas"]["MinScore"];
            label?: components["schemas"]["LabelOrLabels"];
            where?: components["schemas"]["Where"];
            mode?: components["schemas"]["Mode"];
            ef?: components["schemas"]["Ef"];
            beta?: components["schemas"]["Beta"];
        };
        /** @description Exactly one of them. */
        BatchQuery: {
            image?: components["schemas"]["PictureText"];
            id?: components["schemas"]["PictureId"];
            vector?: components["schemas"]["Vector"];
            examples?: components["schemas"]["Examples"];
        } & (unknown | unknown | unknown | unknown);
        /** @description Like these and unlike those; at most 16 together. */
        Examples: {
            /** @description What is wanted looks like these. */
            positive: components["schemas"]["Example"][];
            /** @description What is wanted does not look like these. */
            negative?: components["schemas"]["Example"][];
        };
        /** @description Exactly one of them. */
        Example: {
            image?: components["schemas"]["PictureText"];
            id?: components["schemas"]["PictureId"];
            vector?: components["schemas"]["Vector"];
        } & (unknown | unknown | unknown);
        /** @description Pictures in base64. */
        EmbeddingsBody: {
            /** @description Each is embedded by itself. */
            images: components["schemas"]["PictureText"][];
            collection?: components["schemas"]["CollectionName"];
            encoding?: components["schemas"]["Encoding"];
        };
        /** @description A picture's file in base64. */
        PictureText: string;
        /** @description The id of a picture of the collection. */
        PictureId: string;
        /** @description A vector of the collection's model (`dimension` numbers), of length 1 within 0.00001. */
        Vector: number[];
        /**
         * @description The collection that is meant.
         * @default default
         */
        CollectionName: string;
        /**
         * @description How many neighbours to return.
         * @default 10
         */
        K: number;
        /**
         * @description How many labelled pictures vote.
         * @default 200
         */
        VoteK: number;
        /** @description Of the vote. */
        Temperature: number;
        /** @description Neighbours below this cosine are left out. */
        MinScore: number;
        /** @description Only pictures with one of these labels. */
        Labels: string[];
        /** @description Only pictures with this label, or with one of these. */
        LabelOrLabels: string | components["schemas"]["Labels"];
        /** @description Only pictures whose metadata fits; see the parameter `where`. */
        Where: {
            [key: string]: components["schemas"]["Scalar"] | components["schemas"]["WhereOperators"];
        };
        /** @description All of them must hold. Of a list in the metadata one element must fit, for `not` none may. */
        WhereOperators: {
            in?: components["schemas"]["Scalars"];
            /** @description Not that value, or none of them. */
            not?: components["schemas"]["Scalar"] | components["schemas"]["Scalars"];
            /** @description Above. */
            gt?: number | string;
            /** @description Not below. */
            gte?: number | string;
            /** @description Below. */
            lt?: number | string;
            /** @description Not above. */
            lte?: number | string;
            /** @description Whether a string, a number or a boolean is there. */
            exists?: boolean;
        };
        /** @description A value to equal; "1" is not 1. */
        Scalar: string | number | boolean;
        /** @description One of these values. */
        Scalars: components["schemas"]["Scalar"][];
        /** @description Only pictures whose metadata fits, as JSON; see the parameter `where`. */
        WhereText: string;
        /**
         * @description Which index answers.
         * @default auto
         * @enum {string}
         */
        Mode: "auto" | "hnsw" | "exact";
        /** @description Breadth of the graph search. */
        Ef: number;
        /**
         * @description Weight of the negative examples. A small one helps where they are near misses; a large one leads away from what was
         *     wanted (docs/decisions/0018-conventions.md).
         * @default 0.15
         */
        Beta: number;
        /**
         * @description How a vector is written.
         * @default float
         * @enum {string}
         */
        Encoding: "float" | "base64";
        BatchAnswer: {
            /** @description One a query, in their order. */
            results: (components["schemas"]["SearchAnswer"] | components["schemas"]["ItemError"])[];
        };
        /** @description Why there is no result for this one. */
        ItemError: {
            error: components["schemas"]["Problem"];
        };
        Embeddings: {
            model_sha256: components["schemas"]["Sha256"];
            /** @description Numbers in a vector. */
            dimension: number;
            /** @description One a picture, in their order. */
            embeddings: (components["schemas"]["Embedding"] | components["schemas"]["ItemError"])[];
        };
        /** @description A picture's vector. */
        Embedding: {
            /** @description A list of numbers, or with `encoding=base64` its float32, little-endian. */
            vector: components["schemas"]["Vector"] | string;
        };
        SearchAnswer: {
            /** @description The labels that were voted for, best first; empty when no labelled picture is in reach. */
            labels: components["schemas"]["LabelShare"][];
            /**
             * @description The best label is less sure than `LOOKALIKE_PRECISION` asks for, or there is none. Absent where no calibration
             *     applies.
             */
            abstained?: boolean;
            /**
             * @description Whether the labels carry calibrated probabilities. They do not where the vote is another one than the
             *     calibrated one (`temperature`, `vote_k`, `label` or `min_score` given) or nothing was calibrated.
             */
            calibration: {
                /** @description Whether they do. */
                applied: boolean;
                /** @description Why not. */
                reason: string | null;
            };
            /** @description The nearest pictures, best first. */
            neighbours: components["schemas"]["Neighbour"][];
            index: components["schemas"]["UsedIndex"];
            query: components["schemas"]["Query"];
        };
        LabelShare: {
            /** @description The label. */
            label: string;
            /** @description Its part of the whole vote. */
            share: number;
            /** @description How often such a share is right in this collection; absent where no calibration applies. */
            probability?: number;
        };
        Neighbour: {
            /** @description The picture's id. */
            id: string;
            /** @description Its label. */
            label: string | null;
            /** @description Cosine to the query, 1 for the same direction. */
            score: number;
            /**
             * @description How many percent of the collection's pictures have no other picture nearer to them than this: near 0,
             *     nothing in the collection looks like the query. Absent before a calibration.
             */
            percentile?: number;
            /** @description Its part of the whole vote, 0 when it took no part. */
            share: number;
            /** @description Path of its thumbnail on this server. */
            thumbnail: string;
        };
        /** @description What answered. */
        UsedIndex: {
            /** @description Number of the index generation, 0 before the first. */
            generation: number;
            /**
             * @description The index that answered.
             * @enum {string}
             */
            mode: "hnsw" | "exact";
            /** @description Whether the list is proven to be what a full scan gives. */
            exact: boolean;
            /** @description Pictures searched. */
            rows: number;
        };
        /** @description What was asked for. */
        Query: components["schemas"]["PictureQuery"] | components["schemas"]["IdQuery"] | components["schemas"]["VectorQuery"] | components["schemas"]["ExamplesQuery"];
        /** @description The picture that was sent. */
        PictureQuery: {
            /**
             * @description A picture.
             * @constant
             */
            kind: "image";
            /** @description Pixels, after EXIF orientation. */
            width: number;
            /** @description Pixels, after EXIF orientation. */
            height: number;
            /** @description What it is: jpeg, png or webp. */
            format: string;
            /** @description Size of the file. */
            bytes: number;
            sha256: components["schemas"]["Sha256"];
            /** @description Ids of the pictures in the collection that are the very same file. */
            duplicate_of: string[];
        };
        /** @description A form with the picture; the other fields are the parameters of the query. */
        AddForm: {
            /**
             * Format: binary
             * @description The picture's file.
             */
            image: string;
            /**
             * @description The collection that is meant.
             * @default default
             */
            collection: string;
            /** @description The picture's id. */
            id?: string;
            /** @description Its label. */
            label?: string;
            /** @description A JSON object as text. */
            metadata?: string;
            /**
             * @description What to do with a duplicate.
             * @default allow
             * @enum {string}
             */
            on_duplicate: "allow" | "reject" | "link";
            /**
             * @description Cosine from which it is one.
             * @default 0.95
             */
            near: number;
            /**
             * @description Whether a turned or mirrored one counts.
             * @default false
             */
            orientations: boolean;
        };
        /** @description A form with the picture; the other fields are the parameters of the query. */
        PutForm: {
            /**
             * Format: binary
             * @description The picture's file.
             */
            image: string;
            /**
             * @description The collection that is meant.
             * @default default
             */
            collection: string;
            /** @description Its label. */
            label?: string;
            /** @description A JSON object as text. */
            metadata?: string;
        };
        /** @description A picture of a collection. */
        Image: {
            /** @description The collection that it is in. */
            collection: string;
            /** @description Its id. */
            id: string;
            /** @description Its label. */
            label: string | null;
            /** @description What its owner wrote to it; free of form. */
            metadata: Record<string, unknown>;
            sha256: components["schemas"]["Sha256"];
            picture: components["schemas"]["PictureFacts"];
            /**
             * Format: date-time
             * @description When it was first stored.
             */
            created_at: string;
            /**
             * Format: date-time
             * @description When it was last replaced or edited.
             */
            updated_at: string;
            /** @description Path of its thumbnail on this server. */
            thumbnail: string;
        };
        /** @description What is known of its file; null where only a vector came. */
        PictureFacts: {
            /** @description Pixels, after EXIF orientation. */
            width: number;
            /** @description Pixels, after EXIF orientation. */
            height: number;
            /** @description What it is: jpeg, png or webp. */
            format: string;
            /** @description Size of the file. */
            bytes: number;
        } | null;
        ImageList: {
            /** @description The pictures, in the order that was asked for. */
            images: components["schemas"]["Image"][];
            /** @description Leads to the next page, null on the last one. */
            next_cursor: string | null;
        };
        /** @description A JSON merge patch. */
        ImagePatch: {
            /** @description The label, null removes it. */
            label?: string | null;
            /** @description What of the metadata changes, null empties it. */
            metadata?: Record<string, unknown> | null;
        };
        /** @description A picture that is there already. */
        Duplicate: {
            /** @description Its id. */
            id: string;
            /** @description Cosine to the picture that was sent, the highest of the orientations. */
            score: number;
            /** @description Whether it is the very same file. */
            same_file: boolean;
        };
        NewCollection: {
            /** @description 1 to 64 of a-z, 0-9, - and _. */
            name: string;
        };
        /** @description A collection and the model of its vectors. */
        Collection: {
            /** @description Its name. */
            name: string;
            /** @description Name of its model. */
            model: string;
            model_sha256: components["schemas"]["Sha256"];
            /** @description Numbers in a vector. */
            dimension: number;
            /** @description Pictures. */
            rows: number;
            /** @description Different labels. */
            labels: number;
            /** @description Pictures without a label. */
            unlabelled: number;
            /**
             * Format: date-time
             * @description When it was made.
             */
            created_at: string;
        };
        CollectionList: {
            /** @description In the order of their names. */
            collections: components["schemas"]["Collection"][];
        };
        /** @description A picture of the collection. */
        IdQuery: {
            /**
             * @description By id.
             * @constant
             */
            kind: "id";
            id: components["schemas"]["PictureId"];
        };
        /** @description A vector. */
        VectorQuery: {
            /**
             * @description By vector.
             * @constant
             */
            kind: "vector";
        };
        /** @description Several examples. */
        ExamplesQuery: {
            /**
             * @description By examples.
             * @constant
             */
            kind: "examples";
            /** @description How many positive ones. */
            positive: number;
            /** @description How many negative ones. */
            negative: number;
            /** @description The weight that the negative ones had. */
            beta: number;
        };
        /** @description A SHA-256 in hex. */
        Sha256: string;
        /** @description A long task. */
        Job: {
            /** @description The job's id. */
            id: string;
            /**
             * @description What it does.
             * @enum {string}
             */
            kind: "import" | "reindex" | "report" | "snapshot";
            /** @description The collection that it works on, null for the whole data folder. */
            collection: string | null;
            /** @description What was asked for; its fields depend on the kind. */
            parameters: Record<string, unknown>;
            /**
             * @description Where it stands.
             * @enum {string}
             */
            state: "queued" | "running" | "succeeded" | "failed" | "cancelled";
            /** @description Entries done. */
            done: number;
            /** @description Entries in all, null while not yet known. */
            total: number | null;
            /** @description Entries that could not be processed. */
            failures: number;
            /** @description Why the job failed. */
            error: string | null;
            /**
             * Format: date-time
             * @description When it was asked for.
             */
            created_at: string;
            /**
             * Format: date-time
             * @description When it began.
             */
            started_at: string | null;
            /**
             * Format: date-time
             * @description When it ended.
             */
            finished_at: string | null;
            /** @description What came out, or what there was to say before it failed; its fields depend on the kind. */
            result: Record<string, unknown> | null;
            /** @description Entries a second: of late while it runs, over its whole time when it has ended. */
            rate: number | null;
            /** @description Until all entries are done at this rate, null when that cannot be told. */
            seconds_left: number | null;
        };
        /** @description An encoder. Of a damaged one only its hash is known, and what is wrong with it. */
        ModelRecord: {
            /** @description Of its file. */
            sha256: string;
            /** @description What it is called. */
            name: string | null;
            /** @description Numbers a picture. */
            dimension: number | null;
            /** @description The picture that it sees, in pixels. */
            input: {
                /** @description Pixels. */
                width: number;
                /** @description Pixels. */
                height: number;
            } | null;
            /** @description The pictures that it learned from, as far as stated. */
            trained_on: string | null;
            /** @description What its weights may be used for. */
            terms: string | null;
            /** @description Not the one that the service starts with. */
            removable: boolean;
            /** @description Collections that have vectors of it. */
            used_by: string[];
            /** @description Why it cannot be used. */
            fault: string | null;
        };
        ModelList: {
            /** @description The one that the service starts with first. */
            models: components["schemas"]["ModelRecord"][];
        };
        ModelAdded: {
            model: components["schemas"]["ModelRecord"];
            /** @description Whether it is new here. */
            added: boolean;
            /** @description What running it told. */
            inspection: {
                /** @description Of one picture, the median of some runs. */
                milliseconds: number;
                /** @description In those runs. */
                threads: number;
                /** @description What is unusual about it. */
                notes: string[];
            };
        };
        SnapshotList: {
            /** @description The newest first. */
            snapshots: {
                /** @description The snapshot's id. */
                id: string;
                /** @description Size of its file. */
                bytes: number;
                /**
                 * Format: date-time
                 * @description When it was written.
                 */
                created_at: string;
            }[];
        };
        JobList: {
            /** @description The newest first. */
            jobs: components["schemas"]["Job"][];
            /** @description Leads to the next page; null on the last one. */
            next_cursor: string | null;
        };
        Info: {
            /**
             * @description The service.
             * @constant
             */
            name: "lookalike";
            /** @description Its version. */
            version: string;
            /** @description Versions of Node and of the engines. */
            versions: {
                [key: string]: string;
            };
            model: components["schemas"]["Model"];
            /** @description SHA-256 of the model before the last switch, while there is a way back to it. */
            previous_model: string | null;
            bank: components["schemas"]["Bank"];
            index: components["schemas"]["Index"];
            exact: components["schemas"]["Exact"];
            calibration: components["schemas"]["Calibration"];
            limits: components["schemas"]["Limits"];
        };
        /** @description The encoder. */
        Model: {
            /** @description Its name. */
            name: string;
            sha256: components["schemas"]["Sha256"];
            /** @description Numbers in a vector. */
            dimension: number;
            /** @description Of the vote. */
            temperature: number;
            /** @description Size of the picture that the encoder sees, in pixels. */
            input: {
                /** @description Pixels. */
                width: number;
                /** @description Pixels. */
                height: number;
            };
            preprocess: components["schemas"]["Preprocess"];
            /** @description The pictures that it learned from. */
            trained_on: string;
            /** @description The terms that it is under. */
            terms: string;
            /** @description What was measured when it was trained; free of form. */
            accuracy: Record<string, unknown>;
        };
        /** @description How a picture becomes the encoder's input. */
        Preprocess: {
            /** @description The shorter side is scaled to this, or the whole picture to a width and height whatever its shape. */
            resize: {
                /** @description Pixels. */
                shorter_side: number;
            } | {
                /** @description Pixels. */
                width: number;
                /** @description Pixels. */
                height: number;
            };
            /** @description Cut out of the middle. */
            crop: {
                /** @description Pixels. */
                width: number;
                /** @description Pixels. */
                height: number;
            };
            /**
             * @description Of the resize.
             * @enum {string}
             */
            kernel: "lanczos3" | "cubic" | "linear";
            mean: components["schemas"]["Channels"];
            std: components["schemas"]["Channels"];
            background: components["schemas"]["Channels"];
        };
        /** @description A number for red, green and blue. */
        Channels: number[];
        /** @description The collection. */
        Bank: {
            /** @description Pictures that can be found. */
            rows: number;
            /** @description Different labels. */
            labels: number;
            /** @description Pictures without a label. */
            unlabelled: number;
            /** @description Pictures that are kept, but have no vector of this model: import them again. */
            unsearchable: number;
        };
        /** @description The index that is in use. */
        Index: {
            /** @description Its number, 0 until the first is built. */
            generation: number;
            /** @description Rows in the generation. */
            rows: number;
            /** @description Rows newer than the generation, searched exactly. */
            fresh_rows: number;
            /** @description Rows of the generation that were removed since. */
            removed_rows: number;
            /**
             * Format: date-time
             * @description When it was built.
             */
            created_at: string | null;
            /** @description Whether the graph answers. */
            graph_ready: boolean;
            recall: components["schemas"]["Recall"];
            planner: components["schemas"]["Planner"];
            /** @description What built it. */
            engine: string;
            /** @description What it was built with. */
            parameters: {
                [key: string]: number;
            };
        };
        /**
         * @description How `mode=auto` decides, for a search of the usual size that nothing filters. The costs were measured on this
         *     generation and this machine, after its build or at the start; the breadth of the graph search was tuned there too,
         *     and is corrected by the live recall.
         */
        Planner: {
            /**
             * @description What answers.
             * @enum {string}
             */
            engine: "hnsw" | "exact";
            /**
             * @description Why: it is expected to cost less, there is no graph, or nothing was measured yet (then the graph answers, and the
             *     exact index behind filters).
             * @enum {string}
             */
            reason: "cheaper" | "no_graph" | "not_measured";
            /** @description Rows that such a search wants. */
            k: number;
            /** @description Breadth of its graph search. */
            ef: number;
            /** @description Milliseconds expected of one query alone, null where nothing was measured. */
            costs_ms: {
                /** @description Of the exact index. */
                exact: number | null;
                /** @description Of the graph. */
                hnsw: number | null;
            };
            /** @description Collections with fewer rows are cheaper to search exactly; null: not measured, or never. */
            crossing_rows: number | null;
            /** @description Filters that leave fewer rows are cheaper to answer exactly; null: not measured, always or never. */
            crossing_filter: number | null;
            /** @description Part of the true neighbours that the breadth was tuned for, null before that. */
            recall_target: number | null;
            /** @description The least breadths that reached it, by k; between them it is interpolated. */
            breadths: {
                /** @description Rows wanted. */
                k: number;
                /** @description Breadth. */
                ef: number;
                /** @description What it found of the true neighbours. */
                recall: number;
            }[];
            /** @description Factor on top of it, from the live recall of this generation. */
            breadth_factor: number;
            /**
             * Format: date-time
             * @description When, null before that.
             */
            measured_at: string | null;
        };
        /**
         * @description How much of the true list the graph finds, measured live: some of its answers are asked again of the exact
         *     index while the service is idle.
         */
        Recall: {
            /** @description Mean over the samples, null before the first of this generation. */
            ratio: number | null;
            /** @description Searches that were asked again. */
            samples: number;
        };
        /** @description The exact index. */
        Exact: {
            /** @description What runs it. */
            provider: string;
            /** @description All that were tried at the start. */
            providers: {
                /** @description cpu, webgpu or cuda; js for plain loops. */
                name: string;
                /** @description Whether it works on this machine. */
                usable: boolean;
                /** @description Why not. */
                reason: string | null;
            }[];
        };
        /**
         * @description How much the labels of answers are worth, tried on labelled pictures of the collection: the others vote about
         *     each, itself and its near-duplicates left out. Every rebuild of the index makes it anew; null before the first.
         */
        Calibration: {
            /** @description Of the vote that is calibrated. */
            vote_k: number;
            /** @description Of the vote that is calibrated. */
            temperature: number;
            /** @description Pictures that were tried, at most 2,000. */
            samples: number;
            /** @description Why there are no probabilities; the rest is null then. */
            reason: string | null;
            /** @description Of the label with the largest share. */
            accuracy: number | null;
            /** @description Expected calibration error of the best label (10 bins of equal mass). */
            calibration_error: {
                /** @description Of its share. */
                before: number;
                /** @description Of its probability, cross-validated. */
                after: number;
            } | null;
            /** @description `LOOKALIKE_PRECISION` when it was made. */
            asked_precision: number | null;
            /** @description Probability below which answers abstain; null where none reaches the precision, and all abstain. */
            threshold: number | null;
            /** @description Of the answers that do not abstain, cross-validated; null where all abstain. */
            precision: number | null;
            /** @description Share of them, cross-validated. */
            coverage: number | null;
        } | null;
        /** @description A picture of the collection. */
        PictureRef: {
            /** @description The picture's id. */
            id: string;
            /** @description Its label. */
            label: string | null;
            /** @description Path of its thumbnail on this server. */
            thumbnail: string;
        };
        /** @description What every page of a report says. */
        Report: {
            /**
             * Format: date-time
             * @description When its making began.
             */
            computed_at: string;
            /** @description Pictures came, went or got another label since. */
            stale: boolean;
            /** @description `cursor` of the next page, null on the last one. */
            next_cursor: string | null;
            /** @description The job that makes it anew, where it is stale. */
            job: string | null;
        };
        /** @description Groups of duplicates. */
        Duplicates: {
            /** @description Cosine from which two pictures count as the same. */
            min_score: number;
            /** @description Groups in all. */
            groups_found: number;
            /** @description Pictures in them. */
            pictures_found: number;
            /** @description The largest first. */
            groups: {
                /** @description Pictures in it when the report was made. */
                size: number;
                /** @description The one to keep: the largest picture, of equal ones the oldest. */
                keep: string;
                /** @description The first 100 that are still there, in the order in which they came. */
                members: ({
                    /** @description Cosine to the nearest of the group. */
                    score: number;
                    /** @description Another one has the same bytes. */
                    exact: boolean;
                } & components["schemas"]["PictureRef"])[];
            }[];
        } & components["schemas"]["Report"];
        /** @description Labels in doubt. */
        LabelReport: {
            /** @description Labelled pictures that the others voted about. */
            judged: number;
            /** @description Of them in doubt. */
            doubts_found: number;
            /** @description The surest first. */
            doubts: ({
                /** @description The label that the others vote for. */
                suggested: string;
                /** @description Of its own label in their vote. */
                share: number;
                /** @description Of the suggested label. */
                suggested_share: number;
                /** @description How far they are apart. */
                margin: number;
                /** @description The nearest others, best first. */
                neighbours: ({
                    /** @description Cosine to the picture. */
                    score: number;
                } & components["schemas"]["PictureRef"])[];
            } & components["schemas"]["PictureRef"])[];
            /** @description Different labels that were judged. */
            labels_found: number;
            /** @description The label that agrees least first, at most 1,000. */
            labels: {
                /** @description The label. */
                label: string;
                /** @description Pictures that were judged. */
                count: number;
                /** @description Share of them that the others agree with. */
                agreement: number;
                /** @description Mean cosine of two of them, null for a single one. */
                similarity: number | null;
            }[];
        } & components["schemas"]["Report"];
        /** @description What is allowed. */
        Limits: {
            /** @description Of one picture's file. */
            max_bytes: number;
            /** @description Of one picture. */
            max_pixels: number;
            /** @description Neighbours in one answer. */
            max_k: number;
            /** @description The picture types that are read. */
            formats: string[];
        };
        Alive: {
            /**
             * @description The process answers.
             * @constant
             */
            status: "alive";
        };
        Ready: {
            /**
             * @description Searches give the full answer.
             * @constant
             */
            status: "ready";
        };
        /** @description Why a request was refused, after RFC 9457. */
        Problem: {
            /**
             * Format: uri-reference
             * @description Where the code is explained.
             */
            type: string;
            /** @description The status in words. */
            title: string;
            /** @description The status. */
            status: number;
            /** @description What was given and what is allowed, as a sentence. */
            detail: string;
            code: components["schemas"]["ErrorCode"];
            /** @description The parameter or form field at fault, where it is one. */
            field?: string;
            /** @description Finds the request in the log. */
            request_id: string;
            /** @description Of the code `duplicate`, best first, 10 at most. */
            duplicates?: components["schemas"]["Duplicate"][];
        };
        /**
         * @description The stable name of what went wrong. `invalid_parameter`, `unknown_parameter`, `unknown_label`: a parameter;
         *     `unknown_field`, `missing_image`, `too_many_files`, `malformed_body`: the form; `malformed_request`: not HTTP,
         *     or a path that does not decode; `unauthorized`, `forbidden`: who asks; `not_found`, `method_not_allowed`: what is
         *     asked for; `unknown_collection`: the collection that it is asked of; `already_exists`, `duplicate`, `limit_reached`,
         *     `job_finished`, `model_in_use`, `unusable_model`, `nothing_to_switch`, `pictures_missing`: what is there stands against it; `precondition_failed`:
         *     another has changed it; `idempotency_in_progress`, `idempotency_mismatch`: the `Idempotency-Key` is in use;
         *     `request_timeout`, `headers_too_large`:
         *     the connection; `body_too_large` (bytes), `image_too_large` (pixels): size; `unsupported_media_type` (the body), `unsupported_image` (the picture), `undecodable_image`:
         *     what was sent; `rate_limited`, `overloaded`, `not_ready`: try again later; `storage_full`, `insufficient_memory`: the disk and the memory of the service; `internal`: the service failed.
         * @enum {string}
         */
        ErrorCode: "invalid_parameter" | "unknown_parameter" | "unknown_label" | "unknown_collection" | "already_exists" | "duplicate" | "limit_reached" | "precondition_failed" | "idempotency_in_progress" | "idempotency_mismatch" | "model_in_use" | "unusable_model" | "job_finished" | "nothing_to_switch" | "pictures_missing" | "unknown_field" | "missing_image" | "too_many_files" | "malformed_body" | "malformed_request" | "unauthorized" | "forbidden" | "not_found" | "method_not_allowed" | "request_timeout" | "body_too_large" | "image_too_large" | "unsupported_media_type" | "unsupported_image" | "undecodable_image" | "headers_too_large" | "rate_limited" | "overloaded" | "not_ready" | "storage_full" | "insufficient_memory" | "internal";
    };
    responses: {
        /** @description The request is wrong; `code` and `field` say where. */
        BadRequest: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                "Server-Timing": components["headers"]["Server-Timing"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description A key is needed and none, or a wrong one, was given. */
        Unauthorized: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                "Server-Timing": components["headers"]["Server-Timing"];
                /** @description The scheme to use. */
                "WWW-Authenticate": string;
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The host name is not ours, or a page of another origin asks; only without keys. */
        Forbidden: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                "Server-Timing": components["headers"]["Server-Timing"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description There is no such thing. */
        NotFound: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                "Server-Timing": components["headers"]["Server-Timing"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description What is there stands against it. */
        Conflict: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                "Server-Timing": components["headers"]["Server-Timing"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The request did not arrive in time; the connection is closed. */
        RequestTimeout: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description Address and headers have more than 16 KiB; the connection is closed. What is long belongs in the body. */
        HeadersTooLarge: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The body has too many bytes, or the picture too many pixels. */
        TooLarge: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                "Server-Timing": components["headers"]["Server-Timing"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The body is neither a form nor a picture nor JSON, or the picture is of a type that is not built in. */
        UnsupportedType: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                "Server-Timing": components["headers"]["Server-Timing"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The picture is of an allowed type, but broken. */
        Undecodable: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                "Server-Timing": components["headers"]["Server-Timing"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The caller has used up the requests of this minute; only where a limit is set. */
        TooManyRequests: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                "Server-Timing": components["headers"]["Server-Timing"];
                RateLimit: components["headers"]["RateLimit"];
                "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                "Retry-After": components["headers"]["Retry-After"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The picture is not the one that `If-Match` or `If-None-Match` asks for. */
        PreconditionFailed: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                "Server-Timing": components["headers"]["Server-Timing"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The picture is of an allowed type, but broken; or the key came with another request before. */
        Unprocessable: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                "Server-Timing": components["headers"]["Server-Timing"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The key came with another request before. */
        IdempotencyMismatch: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                "Server-Timing": components["headers"]["Server-Timing"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The service failed. The cause is in its log, under the request id. */
        Internal: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                "Server-Timing": components["headers"]["Server-Timing"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The service is full or not ready. */
        Unavailable: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                "Server-Timing": components["headers"]["Server-Timing"];
                "Retry-After": components["headers"]["Retry-After"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The disk of the data folder has no room for what is sent; nothing of it was kept. */
        StorageFull: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                "Server-Timing": components["headers"]["Server-Timing"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description What the caller has is current. */
        NotModified: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                "Server-Timing": components["headers"]["Server-Timing"];
                ETag: components["headers"]["ETag"];
                [name: string]: unknown;
            };
            content?: never;
        };
    };
    parameters: {
        /** @description How many neighbours to return. The server may allow fewer (`limits.max_k` of `/v1/info`). */
        k: number;
        /** @description How many of the nearest labelled pictures vote for the labels. */
        vote_k: number;
        /** @description Of the vote, `exp(score / temperature)`; small values listen to the nearest only. The model's own when absent. */
        temperature: number;
        /** @description Neighbours below this cosine are left out. */
        min_score: number;
        /** @description Only pictures with one of these labels; may be repeated. */
        label: string[];
        /**
         * @description Only pictures whose metadata fits: a JSON object of conditions that must all hold. Its keys are dotted paths
         *     (`camera.maker`); its values are a value to equal, or an object with `in`, `not`, `gt`, `gte`, `lt`, `lte` and
         *     `exists`, such as `{"colour":{"in":["red","blue"]},"year":{"gte":1990}}`. A long one belongs in the body: headers and
         *     address together have at most 16 KiB.
         * @example {"colour":"red"}
         */
        where: string;
        /** @description How much the negative examples count against the positive ones; without negative ones it has no effect. */
        beta: number;
        /** @description How a vector is written. `float` is a list of numbers; `base64` are its float32, little-endian. */
        encoding: "float" | "base64";
        /** @description Which index answers. `auto` lets the service choose. */
        mode: "auto" | "hnsw" | "exact";
        /** @description Breadth of the graph search; more is slower and finds more. The exact index ignores it. */
        ef: number;
        /**
         * @description The model's SHA-256; to remove one, also its name or the beginning of its SHA-256.
         * @example 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
         */
        model_id: string;
        /** @description Cosine from which two pictures count as the same, in hundredths. */
        duplicate_score: number;
        /** @description How many entries at most. */
        report_limit: number;
        /** @description `next_cursor` of the page before. It is refused once the report was made anew. */
        report_cursor: string;
        /**
         * @description The snapshot's id.
         * @example 20261122T100000000Z-5b4d2c1e
         */
        snapshot_id: string;
        /** @description The collection that is meant. */
        collection: string;
        /**
         * @description What becomes of pictures that cannot be read any more: `refuse` leaves the switch undone; with `drop` they stay in
         *     the collection, and are not found until they are imported again.
         */
        missing: "refuse" | "drop";
        /** @description Whether the vectors and the index of the model before are kept for a way back. */
        keep_previous: boolean;
        /** @description The job's id. */
        job_id: string;
        /**
         * @description The picture's id, percent-encoded (a slash is `%2F`).
         * @example cat/tabby.webp
         */
        image_id: string;
        /**
         * @description The collection's name.
         * @example default
         */
        collection_name: string;
        /** @description An id of the caller's, 1 to 256 bytes of UTF-8, not `.` or `..`; one is made when absent. */
        id: string;
        /** @description The picture's label; none when absent. */
        image_label: string;
        /**
         * @description A JSON object of at most 16 KiB, as text; empty when absent.
         * @example {"colour":"red"}
         */
        metadata: string;
        /** @description What to do when the picture is there already. */
        on_duplicate: "allow" | "reject" | "link";
        /** @description Cosine from which another file counts as the same picture. */
        near: number;
        /** @description Whether a mirrored or turned picture counts as the same one. */
        orientations: boolean;
        /** @description How many at most. */
        limit: number;
        /** @description The `next_cursor` of the page before. */
        cursor: string;
        /** @description By id bytewise, or by the time of creation, the oldest or the newest first. */
        order: "id" | "created" | "-created";
        /** @description Only pictures whose file has this SHA-256. */
        sha256: string;
        /** @description Write only when the picture has one of these ETags, or with `*` when there is one. */
        if_match: string;
        /** @description The `ETag` of an earlier answer; `*` with PUT writes only when there is no such picture. */
        if_none_match: string;
        /** @description Sent again with the same key, the same request is not done again. */
        idempotency_key: string;
        /** @description An id of the caller's, which the answer and the log then carry. Another is made when it is not usable. */
        request_id: string;
    };
    requestBodies: never;
    headers: {
        /** @description The id of this request, also in the log. */
        "X-Request-Id": string;
        /** @description Milliseconds by stage (`receive`, `decode`, `embed`, `search`, `vote`) and in total. */
        "Server-Timing": string;
        /** @description Names these very bytes. */
        ETag: string;
        /** @description Path of what was made. */
        Location: string;
        /** @description How long the answer may be kept. */
        "Cache-Control": string;
        /** @description The next page with `rel="next"`, where there is one. */
        Link: string;
        /** @description The answer is that of an earlier request with the same `Idempotency-Key`. */
        "Idempotency-Replayed": "true";
        /** @description Requests left (`r`), and seconds until the minute of the first one ends (`t`). */
        RateLimit: string;
        /** @description Requests allowed (`q`) in so many seconds (`w`), and a name for the caller (`pk`). */
        "RateLimit-Policy": string;
        /** @description Seconds after which to try again. */
        "Retry-After": string;
    };
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    search: {
        parameters: {
            query?: {
                /** @description The collection that is meant. */
                collection?: components["parameters"]["collection"];
                /** @description How many neighbours to return. The server may allow fewer (`limits.max_k` of `/v1/info`). */
                k?: components["parameters"]["k"];
                /** @description How many of the nearest labelled pictures vote for the labels. */
                vote_k?: components["parameters"]["vote_k"];
                /** @description Of the vote, `exp(score / temperature)`; small values listen to the nearest only. The model's own when absent. */
                temperature?: components["parameters"]["temperature"];
                /** @description Neighbours below this cosine are left out. */
                min_score?: components["parameters"]["min_score"];
                /** @description Only pictures with one of these labels; may be repeated. */
                label?: components["parameters"]["label"];
                /**
                 * @description Only pictures whose metadata fits: a JSON object of conditions that must all hold. Its keys are dotted paths
                 *     (`camera.maker`); its values are a value to equal, or an object with `in`, `not`, `gt`, `gte`, `lt`, `lte` and
                 *     `exists`, such as `{"colour":{"in":["red","blue"]},"year":{"gte":1990}}`. A long one belongs in the body: headers and
                 *     address together have at most 16 KiB.
                 * @example {"colour":"red"}
                 */
                where?: components["parameters"]["where"];
                /** @description Which index answers. `auto` lets the service choose. */
                mode?: components["parameters"]["mode"];
                /** @description Breadth of the graph search; more is slower and finds more. The exact index ignores it. */
                ef?: components["parameters"]["ef"];
                /** @description How much the negative examples count against the positive ones; without negative ones it has no effect. */
                beta?: components["parameters"]["beta"];
            };
            header?: {
                /** @description An id of the caller's, which the answer and the log then carry. Another is made when it is not usable. */
                "X-Request-Id"?: components["parameters"]["request_id"];
            };
            path?: never;
            cookie?: never;
        };
        /** @description One query. `/v1/info` says which formats, how many bytes and how many pixels a picture may have. */
        requestBody: {
            content: {
                "multipart/form-data": components["schemas"]["SearchForm"];
                "image/*": string;
                "application/octet-stream": string;
                "application/json": components["schemas"]["SearchBody"];
            };
        };
        responses: {
            /** @description The neighbours, best first, and the labels that they vote for. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "Server-Timing": components["headers"]["Server-Timing"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SearchAnswer"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedType"];
            422: components["responses"]["Undecodable"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    searchBatch: {
        parameters: {
            query?: {
                /** @description The collection that is meant. */
                collection?: components["parameters"]["collection"];
                /** @description How many neighbours to return. The server may allow fewer (`limits.max_k` of `/v1/info`). */
                k?: components["parameters"]["k"];
                /** @description How many of the nearest labelled pictures vote for the labels. */
                vote_k?: components["parameters"]["vote_k"];
                /** @description Of the vote, `exp(score / temperature)`; small values listen to the nearest only. The model's own when absent. */
                temperature?: components["parameters"]["temperature"];
                /** @description Neighbours below this cosine are left out. */
                min_score?: components["parameters"]["min_score"];
                /** @description Only pictures with one of these labels; may be repeated. */
                label?: components["parameters"]["label"];
                /**
                 * @description Only pictures whose metadata fits: a JSON object of conditions that must all hold. Its keys are dotted paths
                 *     (`camera.maker`); its values are a value to equal, or an object with `in`, `not`, `gt`, `gte`, `lt`, `lte` and
                 *     `exists`, such as `{"colour":{"in":["red","blue"]},"year":{"gte":1990}}`. A long one belongs in the body: headers and
                 *     address together have at most 16 KiB.
                 * @example {"colour":"red"}
                 */
                where?: components["parameters"]["where"];
                /** @description Which index answers. `auto` lets the service choose. */
                mode?: components["parameters"]["mode"];
                /** @description Breadth of the graph search; more is slower and finds more. The exact index ignores it. */
                ef?: components["parameters"]["ef"];
                /** @description How much the negative examples count against the positive ones; without negative ones it has no effect. */
                beta?: components["parameters"]["beta"];
            };
            header?: {
                /** @description An id of the caller's, which the answer and the log then carry. Another is made when it is not usable. */
                "X-Request-Id"?: components["parameters"]["request_id"];
            };
            path?: never;
            cookie?: never;
        };
        /** @description The queries. */
        requestBody: {
            content: {
                "multipart/form-data": components["schemas"]["BatchForm"];
                "image/*": string;
                "application/octet-stream": string;
                /**
                 * @example {
                 *       "queries": [
                 *         {
                 *           "id": "cat/tabby.webp"
                 *         },
                 *         {
                 *           "id": "fox/red.webp"
                 *         }
                 *       ],
                 *       "k": 3
                 *     }
                 */
                "application/json": components["schemas"]["BatchBody"];
            };
        };
        responses: {
            /** @description One result a query, in their order. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "Server-Timing": components["headers"]["Server-Timing"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "results": [
                     *         {
                     *           "labels": [
                     *             {
                     *               "label": "cat",
                     *               "share": 1,
                     *               "probability": 0.98
                     *             }
                     *           ],
                     *           "abstained": false,
                     *           "calibration": {
                     *             "applied": true,
                     *             "reason": null
                     *           },
                     *           "neighbours": [
                     *             {
                     *               "id": "cat/white.webp",
                     *               "label": "cat",
                     *               "score": 0.7721,
                     *               "share": 1,
                     *               "thumbnail": "/v1/images/cat%2Fwhite.webp/thumbnail"
                     *             }
                     *           ],
                     *           "index": {
                     *             "generation": 3,
                     *             "mode": "hnsw",
                     *             "exact": false,
                     *             "rows": 1595
                     *           },
                     *           "query": {
                     *             "kind": "id",
                     *             "id": "cat/tabby.webp"
                     *           }
                     *         },
                     *         {
                     *           "error": {
                     *             "type": "/docs#not_found",
                     *             "title": "Not Found",
                     *             "status": 404,
                     *             "detail": "there is no picture \"fox/red.webp\" in the collection \"default\"",
                     *             "code": "not_found",
                     *             "field": "id",
                     *             "request_id": "5b4d2c1e-8a0f-4c6e-9d53-0f1e2d3c4b5a"
                     *           }
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": components["schemas"]["BatchAnswer"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedType"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    embed: {
        parameters: {
            query?: {
                /** @description The collection that is meant. */
                collection?: components["parameters"]["collection"];
                /** @description How a vector is written. `float` is a list of numbers; `base64` are its float32, little-endian. */
                encoding?: components["parameters"]["encoding"];
            };
            header?: {
                /** @description An id of the caller's, which the answer and the log then carry. Another is made when it is not usable. */
                "X-Request-Id"?: components["parameters"]["request_id"];
            };
            path?: never;
            cookie?: never;
        };
        /** @description The pictures. */
        requestBody: {
            content: {
                "multipart/form-data": components["schemas"]["EmbeddingsForm"];
                "image/*": string;
                "application/octet-stream": string;
                /**
                 * @example {
                 *       "images": [
                 *         "iVBORw0KGgoAAAANSUhEUgAAAAQAAAAECAIAAAAmkwkpAAAACXBIWXMAAAPoAAAD6AG1e1JrAAAAEElEQVQI12O4a2wMRwzEcQAX0hQxH2B0BAAAAABJRU5ErkJggg=="
                 *       ]
                 *     }
                 */
                "application/json": components["schemas"]["EmbeddingsBody"];
            };
        };
        responses: {
            /** @description One entry a picture, in their order. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "Server-Timing": components["headers"]["Server-Timing"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Embeddings"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedType"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    getInfo: {
        parameters: {
            query?: {
                /** @description The collection that is meant. */
                collection?: components["parameters"]["collection"];
            };
            header?: {
                /** @description An id of the caller's, which the answer and the log then carry. Another is made when it is not usable. */
                "X-Request-Id"?: components["parameters"]["request_id"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The state of the service. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "Server-Timing": components["headers"]["Server-Timing"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "name": "lookalike",
                     *       "version": "0.1.0",
                     *       "versions": {
                     *         "node": "20.20.2",
                     *         "onnxruntime-node": "1.30.0",
                     *         "sharp": "0.35.5"
                     *       },
                     *       "model": {
                     *         "name": "example",
                     *         "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
                     *         "dimension": 128,
                     *         "temperature": 0.07,
                     *         "input": {
                     *           "width": 64,
                     *           "height": 64
                     *         },
                     *         "preprocess": {
                     *           "resize": {
                     *             "shorter_side": 72
                     *           },
                     *           "crop": {
                     *             "width": 64,
                     *             "height": 64
                     *           },
                     *           "kernel": "lanczos3",
                     *           "mean": [
                     *             0.5,
                     *             0.5,
                     *             0.5
                     *           ],
                     *           "std": [
                     *             0.25,
                     *             0.25,
                     *             0.25
                     *           ],
                     *           "background": [
                     *             255,
                     *             255,
                     *             255
                     *           ]
                     *         },
                     *         "trained_on": "example pictures",
                     *         "terms": "MIT",
                     *         "accuracy": {}
                     *       },
                     *       "previous_model": null,
                     *       "bank": {
                     *         "rows": 1595,
                     *         "labels": 9,
                     *         "unlabelled": 0,
                     *         "unsearchable": 0
                     *       },
                     *       "index": {
                     *         "generation": 3,
                     *         "rows": 1595,
                     *         "fresh_rows": 0,
                     *         "removed_rows": 0,
                     *         "created_at": "2026-11-22T10:00:00.000Z",
                     *         "graph_ready": true,
                     *         "recall": {
                     *           "ratio": 0.991,
                     *           "samples": 200
                     *         },
                     *         "planner": {
                     *           "engine": "hnsw",
                     *           "reason": "cheaper",
                     *           "k": 200,
                     *           "ef": 230,
                     *           "costs_ms": {
                     *             "exact": 0.61,
                     *             "hnsw": 0.42
                     *           },
                     *           "crossing_rows": 1034,
                     *           "crossing_filter": 960,
                     *           "recall_target": 0.99,
                     *           "breadths": [
                     *             {
                     *               "k": 10,
                     *               "ef": 16,
                     *               "recall": 0.994
                     *             },
                     *             {
                     *               "k": 200,
                     *               "ef": 230,
                     *               "recall": 0.993
                     *             },
                     *             {
                     *               "k": 1000,
                     *               "ef": 1001,
                     *               "recall": 0.996
                     *             }
                     *           ],
                     *           "breadth_factor": 1,
                     *           "measured_at": "2026-11-22T10:00:01.000Z"
                     *         },
                     *         "engine": "usearch",
                     *         "parameters": {
                     *           "m": 16,
                     *           "ef_construction": 200
                     *         }
                     *       },
                     *       "exact": {
                     *         "provider": "cpu",
                     *         "providers": [
                     *           {
                     *             "name": "cpu",
                     *             "usable": true,
                     *             "reason": null
                     *           },
                     *           {
                     *             "name": "webgpu",
                     *             "usable": false,
                     *             "reason": "no adapter was found"
                     *           }
                     *         ]
                     *       },
                     *       "calibration": {
                     *         "vote_k": 200,
                     *         "temperature": 0.07,
                     *         "samples": 1595,
                     *         "reason": null,
                     *         "accuracy": 0.91,
                     *         "calibration_error": {
                     *           "before": 0.12,
                     *           "after": 0.02
                     *         },
                     *         "asked_precision": 0.95,
                     *         "threshold": 0.71,
                     *         "precision": 0.96,
                     *         "coverage": 0.88
                     *       },
                     *       "limits": {
                     *         "max_bytes": 20971520,
                     *         "max_pixels": 50000000,
                     *         "max_k": 1000,
                     *         "formats": [
                     *           "JPEG",
                     *           "PNG",
                     *           "WebP"
                     *         ]
                     *       }
                     *     }
                     */
                    "application/json": components["schemas"]["Info"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
        };
    };
    listImages: {
        parameters: {
            query?: {
                /** @description The collection that is meant. */
                collection?: components["parameters"]["collection"];
                /** @description How many at most. */
                limit?: components["parameters"]["limit"];
                /** @description The `next_cursor` of the page before. */
                cursor?: components["parameters"]["cursor"];
                /** @description By id bytewise, or by the time of creation, the oldest or the newest first. */
                order?: components["parameters"]["order"];
                /** @description Only pictures with one of these labels; may be repeated. */
                label?: components["parameters"]["label"];
                /**
                 * @description Only pictures whose metadata fits: a JSON object of conditions that must all hold. Its keys are dotted paths
                 *     (`camera.maker`); its values are a value to equal, or an object with `in`, `not`, `gt`, `gte`, `lt`, `lte` and
                 *     `exists`, such as `{"colour":{"in":["red","blue"]},"year":{"gte":1990}}`. A long one belongs in the body: headers and
                 *     address together have at most 16 KiB.
                 * @example {"colour":"red"}
                 */
                where?: components["parameters"]["where"];
                /** @description Only pictures whose file has this SHA-256. */
                sha256?: components["parameters"]["sha256"];
            };
            header?: {
                /** @description An id of the caller's, which the answer and the log then carry. Another is made when it is not usable. */
                "X-Request-Id"?: components["parameters"]["request_id"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of pictures. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "Server-Timing": components["headers"]["Server-Timing"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    Link: components["headers"]["Link"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ImageList"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
        };
    };
    addImage: {
        parameters: {
            query?: {
                /** @description The collection that is meant. */
                collection?: components["parameters"]["collection"];
                /** @description An id of the caller's, 1 to 256 bytes of UTF-8, not `.` or `..`; one is made when absent. */
                id?: components["parameters"]["id"];
                /** @description The picture's label; none when absent. */
                label?: components["parameters"]["image_label"];
                /**
                 * @description A JSON object of at most 16 KiB, as text; empty when absent.
                 * @example {"colour":"red"}
                 */
                metadata?: components["parameters"]["metadata"];
                /** @description What to do when the picture is there already. */
                on_duplicate?: components["parameters"]["on_duplicate"];
                /** @description Cosine from which another file counts as the same picture. */
                near?: components["parameters"]["near"];
                /** @description Whether a mirrored or turned picture counts as the same one. */
                orientations?: components["parameters"]["orientations"];
            };
            header?: {
                /** @description Sent again with the same key, the same request is not done again. */
                "Idempotency-Key"?: components["parameters"]["idempotency_key"];
                /** @description An id of the caller's, which the answer and the log then carry. Another is made when it is not usable. */
                "X-Request-Id"?: components["parameters"]["request_id"];
            };
            path?: never;
            cookie?: never;
        };
        /** @description One picture, as a form or as the whole body; with a form, the parameters may be fields of it. */
        requestBody: {
            content: {
                "multipart/form-data": components["schemas"]["AddForm"];
                "image/*": string;
                "application/octet-stream": string;
            };
        };
        responses: {
            /** @description The picture is there already (`on_duplicate=link`); nothing was stored. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "Server-Timing": components["headers"]["Server-Timing"];
                    ETag: components["headers"]["ETag"];
                    "Idempotency-Replayed": components["headers"]["Idempotency-Replayed"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Image"];
                };
            };
            /** @description The picture as it was stored. */
            201: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "Server-Timing": components["headers"]["Server-Timing"];
                    ETag: components["headers"]["ETag"];
                    Location: components["headers"]["Location"];
                    "Idempotency-Replayed": components["headers"]["Idempotency-Replayed"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Image"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedType"];
            422: components["responses"]["Unprocessable"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
            507: components["responses"]["StorageFull"];
        };
    };
    getImage: {
        parameters: {
            query?: {
                /** @description The collection that is meant. */
                collection?: components["parameters"]["collection"];
            };
            header?: {
                /** @description The `ETag` of an earlier answer; `*` with PUT writes only when there is no such picture. */
                "If-None-Match"?: components["parameters"]["if_none_match"];
                /** @description An id of the caller's, which the answer and the log then carry. Another is made when it is not usable. */
                "X-Request-Id"?: components["parameters"]["request_id"];
            };
            path: {
                /**
                 * @description The picture's id, percent-encoded (a slash is `%2F`).
                 * @example cat/tabby.webp
                 */
                id: components["parameters"]["image_id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The picture. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "Server-Timing": components["headers"]["Server-Timing"];
                    ETag: components["headers"]["ETag"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Image"];
                };
            };
            304: components["responses"]["NotModified"];
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
        };
    };
    putImage: {
        parameters: {
            query?: {
                /** @description The collection that is meant. */
                collection?: components["parameters"]["collection"];
                /** @description The picture's label; none when absent. */
                label?: components["parameters"]["image_label"];
                /**
                 * @description A JSON object of at most 16 KiB, as text; empty when absent.
                 * @example {"colour":"red"}
                 */
                metadata?: components["parameters"]["metadata"];
            };
            header?: {
                /** @description Write only when the picture has one of these ETags, or with `*` when there is one. */
                "If-Match"?: components["parameters"]["if_match"];
                /** @description The `ETag` of an earlier answer; `*` with PUT writes only when there is no such picture. */
                "If-None-Match"?: components["parameters"]["if_none_match"];
                /** @description An id of the caller's, which the answer and the log then carry. Another is made when it is not usable. */
                "X-Request-Id"?: components["parameters"]["request_id"];
            };
            path: {
                /**
                 * @description The picture's id, percent-encoded (a slash is `%2F`).
                 * @example cat/tabby.webp
                 */
                id: components["parameters"]["image_id"];
            };
            cookie?: never;
        };
        /** @description One picture, as a form or as the whole body; with a form, the parameters may be fields of it. */
        requestBody: {
            content: {
                "multipart/form-data": components["schemas"]["PutForm"];
                "image/*": string;
                "application/octet-stream": string;
            };
        };
        responses: {
            /** @description The picture that took the place of another. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "Server-Timing": components["headers"]["Server-Timing"];
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Image"];
                };
            };
            /** @description The picture, which is new. */
            201: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "Server-Timing": components["headers"]["Server-Timing"];
                    ETag: components["headers"]["ETag"];
                    Location: components["headers"]["Location"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Image"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            412: components["responses"]["PreconditionFailed"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedType"];
            422: components["responses"]["Undecodable"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
            507: components["responses"]["StorageFull"];
        };
    };
    removeImage: {
        parameters: {
            query?: {
                /** @description The collection that is meant. */
                collection?: components["parameters"]["collection"];
            };
            header?: {
                /** @description Write only when the picture has one of these ETags, or with `*` when there is one. */
                "If-Match"?: components["parameters"]["if_match"];
                /** @description An id of the caller's, which the answer and the log then carry. Another is made when it is not usable. */
                "X-Request-Id"?: components["parameters"]["request_id"];
            };
            path: {
                /**
                 * @description The picture's id, percent-encoded (a slash is `%2F`).
                 * @example cat/tabby.webp
                 */
                id: components["parameters"]["image_id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is gone. */
            204: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "Server-Timing": components["headers"]["Server-Timing"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            412: components["responses"]["PreconditionFailed"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            507: components["responses"]["StorageFull"];
        };
    };
    editImage: {
        parameters: {
            query?: {
                /** @description The collection that is meant. */
                collection?: components["parameters"]["collection"];
            };
            header?: {
                /** @description Write only when the picture has one of these ETags, or with `*` when there is one. */
                "If-Match"?: components["parameters"]["if_match"];
                /** @description An id of the caller's, which the answer and the log then carry. Another is made when it is not usable. */
                "X-Request-Id"?: components["parameters"]["request_id"];
            };
            path: {
                /**
                 * @description The picture's id, percent-encoded (a slash is `%2F`).
                 * @example cat/tabby.webp
                 */
                id: components["parameters"]["image_id"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "label": "cat",
                 *       "metadata": {
                 *         "colour": "red",
                 *         "blurred": null
                 *       }
                 *     }
                 */
                "application/merge-patch+json": components["schemas"]["ImagePatch"];
                /**
                 * @example {
                 *       "label": "cat",
                 *       "metadata": {
                 *         "colour": "red",
                 *         "blurred": null
                 *       }
                 *     }
                 */
                "application/json": components["schemas"]["ImagePatch"];
            };
        };
        responses: {
            /** @description The picture as it is now. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "Server-Timing": components["headers"]["Server-Timing"];
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Image"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            412: components["responses"]["PreconditionFailed"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedType"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            507: components["responses"]["StorageFull"];
        };
    };
    getThumbnail: {
        parameters: {
            query?: {
                /** @description The collection that is meant. */
                collection?: components["parameters"]["collection"];
            };
            header?: {
                /** @description The `ETag` of an earlier answer; `*` with PUT writes only when there is no such picture. */
                "If-None-Match"?: components["parameters"]["if_none_match"];
                /** @description An id of the caller's, which the answer and the log then carry. Another is made when it is not usable. */
                "X-Request-Id"?: components["parameters"]["request_id"];
            };
            path: {
                /**
                 * @description The picture's id, percent-encoded (a slash is `%2F`).
                 * @example cat/tabby.webp
                 */
                id: components["parameters"]["image_id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The picture. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "Server-Timing": components["headers"]["Server-Timing"];
                    ETag: components["headers"]["ETag"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    [name: string]: unknown;
                };
                content: {
                    "image/webp": string;
                };
            };
            304: components["responses"]["NotModified"];
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    listCollections: {
        parameters: {
            query?: never;
            header?: {
                /** @description An id of the caller's, which the answer and the log then carry. Another is made when it is not usable. */
                "X-Request-Id"?: components["parameters"]["request_id"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The collections. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "Server-Timing": components["headers"]["Server-Timing"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CollectionList"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
        };
    };
    createCollection: {
        parameters: {
            query?: never;
            header?: {
                /** @description Sent again with the same key, the same request is not done again. */
                "Idempotency-Key"?: components["parameters"]["idempotency_key"];
                /** @description An id of the caller's, which the answer and the log then carry. Another is made when it is not usable. */
                "X-Request-Id"?: components["parameters"]["request_id"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "name": "shoes"
                 *     }
                 */
                "application/json": components["schemas"]["NewCollection"];
            };
        };
        responses: {
            /** @description The collection. */
            201: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "Server-Timing": components["headers"]["Server-Timing"];
                    "Idempotency-Replayed": components["headers"]["Idempotency-Replayed"];
                    Location: components["headers"]["Location"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Collection"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedType"];
            422: components["responses"]["IdempotencyMismatch"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            507: components["responses"]["StorageFull"];
        };
    };
    getCollection: {
        parameters: {
            query?: never;
            header?: {
                /** @description An id of the caller's, which the answer and the log then carry. Another is made when it is not usable. */
                "X-Request-Id"?: components["parameters"]["request_id"];
            };
            path: {
                /**
                 * @description The collection's name.
                 * @example default
                 */
                name: components["parameters"]["collection_name"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The collection. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "Server-Timing": components["headers"]["Server-Timing"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Collection"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
        };
    };
    removeCollection: {
        parameters: {
            query?: never;
            header?: {
                /** @description An id of the caller's, which the answer and the log then carry. Another is made when it is not usable. */
                "X-Request-Id"?: components["parameters"]["request_id"];
            };
            path: {
                /**
                 * @description The collection's name.
                 * @example default
                 */
                name: components["parameters"]["collection_name"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is gone. */
            204: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "Server-Timing": components["headers"]["Server-Timing"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            507: components["responses"]["StorageFull"];
        };
    };
    startImport: {
        parameters: {
            query?: {
                /** @description The collection that is meant. */
                collection?: components["parameters"]["collection"];
                /** @description What a tar that is sent holds. */
                holds?: "pictures" | "bank";
                /**
                 * @description With a picture whose very bytes are there under another id: store it too, refuse it, or pass over it. Near
                 *     duplicates are not looked for. Not for a folder.
                 */
                on_duplicate?: "allow" | "reject" | "link";
                /**
                 * @description Whether pictures that are there unchanged get the label and the metadata that the import gives. Not for a
                 *     folder.
                 */
                update?: boolean;
                /** @description Whether pictures whose files are gone from the folder are taken out. Only for a folder. */
                prune?: boolean;
            };
            header?: {
                /** @description Sent again with the same key, the same request is not done again. */
                "Idempotency-Key"?: components["parameters"]["idempotency_key"];
                /** @description An id of the caller's, which the answer and the log then carry. Another is made when it is not usable. */
                "X-Request-Id"?: components["parameters"]["request_id"];
            };
            path?: never;
            cookie?: never;
        };
        /** @description What is to be imported, or where it lies. */
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "path": "photos"
                 *     }
                 */
                "application/json": components["schemas"]["ImportBody"];
                "application/x-tar": string;
                "application/gzip": string;
                "application/zip": string;
                /** @example {"id":"dot","image":"iVBORw0KGgoAAAANSUhEUgAAAAQAAAAECAIAAAAmkwkpAAAACXBIWXMAAAPoAAAD6AG1e1JrAAAAEElEQVQI12O4a2wMRwzEcQAX0hQxH2B0BAAAAABJRU5ErkJggg==","label":"dot","metadata":{"year":2026}} */
                "application/x-ndjson": string;
            };
        };
        responses: {
            /** @description The job, which `Location` shows from now on. */
            202: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "Server-Timing": components["headers"]["Server-Timing"];
                    "Idempotency-Replayed": components["headers"]["Idempotency-Replayed"];
                    Location: components["headers"]["Location"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Job"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedType"];
            422: components["responses"]["IdempotencyMismatch"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
            507: components["responses"]["StorageFull"];
        };
    };
    getImportErrors: {
        parameters: {
            query?: never;
            header?: {
                /** @description An id of the caller's, which the answer and the log then carry. Another is made when it is not usable. */
                "X-Request-Id"?: components["parameters"]["request_id"];
            };
            path: {
                /** @description The id of the import's job. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The lines; none when every entry was taken. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "Server-Timing": components["headers"]["Server-Timing"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    [name: string]: unknown;
                };
                content: {
                    "application/x-ndjson": string;
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
        };
    };
    reindex: {
        parameters: {
            query?: {
                /** @description The collection that is meant. */
                collection?: components["parameters"]["collection"];
                /** @description Another model, by its SHA-256, the beginning of it (4 digits or more), or its name. */
                model?: string;
                /** @description Whether the job switches by itself, or leaves that to another call. Only with `model`. */
                switch?: "auto" | "manual";
                /**
                 * @description What becomes of pictures that cannot be read any more: `refuse` leaves the switch undone; with `drop` they stay in
                 *     the collection, and are not found until they are imported again.
                 */
                missing?: components["parameters"]["missing"];
                /** @description Whether the vectors and the index of the model before are kept for a way back. */
                keep_previous?: components["parameters"]["keep_previous"];
            };
            header?: {
                /** @description Sent again with the same key, the same request is not done again. */
                "Idempotency-Key"?: components["parameters"]["idempotency_key"];
                /** @description An id of the caller's, which the answer and the log then carry. Another is made when it is not usable. */
                "X-Request-Id"?: components["parameters"]["request_id"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The job, which `Location` shows from now on. */
            202: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "Server-Timing": components["headers"]["Server-Timing"];
                    "Idempotency-Replayed": components["headers"]["Idempotency-Replayed"];
                    Location: components["headers"]["Location"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Job"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            422: components["responses"]["IdempotencyMismatch"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            507: components["responses"]["StorageFull"];
        };
    };
    switchModel: {
        parameters: {
            query?: {
                /** @description The collection that is meant. */
                collection?: components["parameters"]["collection"];
                /** @description The prepared model, as in `/v1/reindex`; the one that waits when absent. */
                model?: string;
                /**
                 * @description What becomes of pictures that cannot be read any more: `refuse` leaves the switch undone; with `drop` they stay in
                 *     the collection, and are not found until they are imported again.
                 */
                missing?: components["parameters"]["missing"];
                /** @description Whether the vectors and the index of the model before are kept for a way back. */
                keep_previous?: components["parameters"]["keep_previous"];
            };
            header?: {
                /** @description Sent again with the same key, the same request is not done again. */
                "Idempotency-Key"?: components["parameters"]["idempotency_key"];
                /** @description An id of the caller's, which the answer and the log then carry. Another is made when it is not usable. */
                "X-Request-Id"?: components["parameters"]["request_id"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The job, which `Location` shows from now on. */
            202: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "Server-Timing": components["headers"]["Server-Timing"];
                    "Idempotency-Replayed": components["headers"]["Idempotency-Replayed"];
                    Location: components["headers"]["Location"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Job"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            422: components["responses"]["IdempotencyMismatch"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            507: components["responses"]["StorageFull"];
        };
    };
    rollbackModel: {
        parameters: {
            query?: {
                /** @description The collection that is meant. */
                collection?: components["parameters"]["collection"];
                /**
                 * @description What becomes of pictures that cannot be read any more: `refuse` leaves the switch undone; with `drop` they stay in
                 *     the collection, and are not found until they are imported again.
                 */
                missing?: components["parameters"]["missing"];
            };
            header?: {
                /** @description Sent again with the same key, the same request is not done again. */
                "Idempotency-Key"?: components["parameters"]["idempotency_key"];
                /** @description An id of the caller's, which the answer and the log then carry. Another is made when it is not usable. */
                "X-Request-Id"?: components["parameters"]["request_id"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The job, which `Location` shows from now on. */
            202: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "Server-Timing": components["headers"]["Server-Timing"];
                    "Idempotency-Replayed": components["headers"]["Idempotency-Replayed"];
                    Location: components["headers"]["Location"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Job"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            422: components["responses"]["IdempotencyMismatch"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            507: components["responses"]["StorageFull"];
        };
    };
    listJobs: {
        parameters: {
            query?: {
                /** @description `next_cursor` of the page before. */
                cursor?: string;
                /** @description How many jobs at most. */
                limit?: number;
                /** @description Only jobs of this collection, also one that is not there any more. */
                collection?: string;
                /** @description Only jobs that do this. */
                kind?: "import" | "reindex" | "report" | "snapshot";
                /** @description Only jobs that stand there. */
                state?: "queued" | "running" | "succeeded" | "failed" | "cancelled";
            };
            header?: {
                /** @description An id of the caller's, which the answer and the log then carry. Another is made when it is not usable. */
                "X-Request-Id"?: components["parameters"]["request_id"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The jobs. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "Server-Timing": components["headers"]["Server-Timing"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    Link: components["headers"]["Link"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "jobs": [
                     *         {
                     *           "id": "01JD3Z7W3T5Q",
                     *           "kind": "reindex",
                     *           "collection": "default",
                     *           "parameters": {},
                     *           "state": "succeeded",
                     *           "done": 1595,
                     *           "total": 1595,
                     *           "failures": 0,
                     *           "error": null,
                     *           "created_at": "2026-11-22T10:00:00.000Z",
                     *           "started_at": "2026-11-22T10:00:00.020Z",
                     *           "finished_at": "2026-11-22T10:00:01.310Z",
                     *           "result": {
                     *             "generation": 4
                     *           },
                     *           "rate": 1236.43,
                     *           "seconds_left": null
                     *         }
                     *       ],
                     *       "next_cursor": null
                     *     }
                     */
                    "application/json": components["schemas"]["JobList"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
        };
    };
    getJob: {
        parameters: {
            query?: never;
            header?: {
                /** @description An id of the caller's, which the answer and the log then carry. Another is made when it is not usable. */
                "X-Request-Id"?: components["parameters"]["request_id"];
            };
            path: {
                /** @description The job's id. */
                id: components["parameters"]["job_id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The job. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "Server-Timing": components["headers"]["Server-Timing"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Job"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
        };
    };
    cancelJob: {
        parameters: {
            query?: never;
            header?: {
                /** @description An id of the caller's, which the answer and the log then carry. Another is made when it is not usable. */
                "X-Request-Id"?: components["parameters"]["request_id"];
            };
            path: {
                /** @description The job's id. */
                id: components["parameters"]["job_id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The job. */
            202: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "Server-Timing": components["headers"]["Server-Timing"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Job"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            507: components["responses"]["StorageFull"];
        };
    };
    watchJob: {
        parameters: {
            query?: never;
            header?: {
                /** @description The `id` of the last event that was seen; the present state comes at once when it is newer. */
                "Last-Event-ID"?: string;
                /** @description An id of the caller's, which the answer and the log then carry. Another is made when it is not usable. */
                "X-Request-Id"?: components["parameters"]["request_id"];
            };
            path: {
                /** @description The job's id. */
                id: components["parameters"]["job_id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The events; the answer ends after that of the job's end. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "Server-Timing": components["headers"]["Server-Timing"];
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": {
                        /** @description Grows from event to event; send it back as `Last-Event-ID`. */
                        id: string;
                        /** @constant */
                        event: "job";
                        /** @description The job as JSON. */
                        data: string;
                    };
                };
            };
            /** @description The job is over and its last event was seen; there is nothing to come back for. */
            204: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "Server-Timing": components["headers"]["Server-Timing"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    listModels: {
        parameters: {
            query?: never;
            header?: {
                /** @description An id of the caller's, which the answer and the log then carry. Another is made when it is not usable. */
                "X-Request-Id"?: components["parameters"]["request_id"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The models, the one that the service starts with first. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "Server-Timing": components["headers"]["Server-Timing"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ModelList"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
        };
    };
    addModel: {
        parameters: {
            query?: {
                /** @description What it is called; the manifest's or the folder's name when absent. */
                name?: string;
                /** @description The output to take, where the graph has several. */
                output?: string;
                /** @description For an output with a vector a token. */
                pooling?: "none" | "cls" | "mean";
                /** @description Of the vote; a trained model brings its own, 0.07 for others. */
                temperature?: number;
            };
            header?: {
                /** @description Sent again with the same key, the same request is not done again. */
                "Idempotency-Key"?: components["parameters"]["idempotency_key"];
                /** @description An id of the caller's, which the answer and the log then carry. Another is made when it is not usable. */
                "X-Request-Id"?: components["parameters"]["request_id"];
            };
            path?: never;
            cookie?: never;
        };
        /** @description A tar of the model's files. */
        requestBody: {
            content: {
                "application/x-tar": string;
                "application/octet-stream": string;
            };
        };
        responses: {
            /** @description It was there already; nothing changed. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "Server-Timing": components["headers"]["Server-Timing"];
                    "Idempotency-Replayed": components["headers"]["Idempotency-Replayed"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ModelAdded"];
                };
            };
            /** @description It was added. */
            201: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "Server-Timing": components["headers"]["Server-Timing"];
                    "Idempotency-Replayed": components["headers"]["Idempotency-Replayed"];
                    /** @description Path of the model. */
                    Location: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ModelAdded"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedType"];
            422: components["responses"]["Undecodable"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            507: components["responses"]["StorageFull"];
        };
    };
    getModel: {
        parameters: {
            query?: never;
            header?: {
                /** @description An id of the caller's, which the answer and the log then carry. Another is made when it is not usable. */
                "X-Request-Id"?: components["parameters"]["request_id"];
            };
            path: {
                /**
                 * @description The model's SHA-256; to remove one, also its name or the beginning of its SHA-256.
                 * @example 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
                 */
                id: components["parameters"]["model_id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The model. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "Server-Timing": components["headers"]["Server-Timing"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ModelRecord"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
        };
    };
    removeModel: {
        parameters: {
            query?: never;
            header?: {
                /** @description An id of the caller's, which the answer and the log then carry. Another is made when it is not usable. */
                "X-Request-Id"?: components["parameters"]["request_id"];
            };
            path: {
                /**
                 * @description The model's SHA-256; to remove one, also its name or the beginning of its SHA-256.
                 * @example 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
                 */
                id: components["parameters"]["model_id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is gone. */
            204: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "Server-Timing": components["headers"]["Server-Timing"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            507: components["responses"]["StorageFull"];
        };
    };
    listDuplicates: {
        parameters: {
            query?: {
                /** @description The collection that is meant. */
                collection?: components["parameters"]["collection"];
                /** @description Cosine from which two pictures count as the same, in hundredths. */
                min_score?: components["parameters"]["duplicate_score"];
                /** @description How many entries at most. */
                limit?: components["parameters"]["report_limit"];
                /** @description `next_cursor` of the page before. It is refused once the report was made anew. */
                cursor?: components["parameters"]["report_cursor"];
            };
            header?: {
                /** @description An id of the caller's, which the answer and the log then carry. Another is made when it is not usable. */
                "X-Request-Id"?: components["parameters"]["request_id"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The groups, the largest first. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "Server-Timing": components["headers"]["Server-Timing"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    Link: components["headers"]["Link"];
                    /** @description Path of the job that makes the report anew, where it is stale. */
                    Location?: string;
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "computed_at": "2026-11-22T10:00:00.000Z",
                     *       "stale": false,
                     *       "min_score": 0.98,
                     *       "groups_found": 1,
                     *       "pictures_found": 2,
                     *       "groups": [
                     *         {
                     *           "size": 2,
                     *           "keep": "cat/tabby.webp",
                     *           "members": [
                     *             {
                     *               "id": "cat/tabby.webp",
                     *               "label": "cat",
                     *               "thumbnail": "/v1/images/cat%2Ftabby.webp/thumbnail",
                     *               "score": 0.9931,
                     *               "exact": false
                     *             },
                     *             {
                     *               "id": "cat/tabby-small.webp",
                     *               "label": "cat",
                     *               "thumbnail": "/v1/images/cat%2Ftabby-small.webp/thumbnail",
                     *               "score": 0.9931,
                     *               "exact": false
                     *             }
                     *           ]
                     *         }
                     *       ],
                     *       "next_cursor": null,
                     *       "job": null
                     *     }
                     */
                    "application/json": components["schemas"]["Duplicates"];
                };
            };
            /** @description The report is being made; this is the job. */
            202: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "Server-Timing": components["headers"]["Server-Timing"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    Location: components["headers"]["Location"];
                    "Retry-After": components["headers"]["Retry-After"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Job"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
        };
    };
    getLabelReport: {
        parameters: {
            query?: {
                /** @description The collection that is meant. */
                collection?: components["parameters"]["collection"];
                /** @description How many entries at most. */
                limit?: components["parameters"]["report_limit"];
                /** @description `next_cursor` of the page before. It is refused once the report was made anew. */
                cursor?: components["parameters"]["report_cursor"];
            };
            header?: {
                /** @description An id of the caller's, which the answer and the log then carry. Another is made when it is not usable. */
                "X-Request-Id"?: components["parameters"]["request_id"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The doubts, the surest first. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "Server-Timing": components["headers"]["Server-Timing"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    Link: components["headers"]["Link"];
                    /** @description Path of the job that makes the report anew, where it is stale. */
                    Location?: string;
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "computed_at": "2026-11-22T10:00:00.000Z",
                     *       "stale": false,
                     *       "judged": 1595,
                     *       "doubts_found": 1,
                     *       "doubts": [
                     *         {
                     *           "id": "cat/red.webp",
                     *           "label": "cat",
                     *           "thumbnail": "/v1/images/cat%2Fred.webp/thumbnail",
                     *           "suggested": "fox",
                     *           "share": 0.04,
                     *           "suggested_share": 0.93,
                     *           "margin": 0.89,
                     *           "neighbours": [
                     *             {
                     *               "id": "fox/red.webp",
                     *               "label": "fox",
                     *               "thumbnail": "/v1/images/fox%2Fred.webp/thumbnail",
                     *               "score": 0.9412
                     *             }
                     *           ]
                     *         }
                     *       ],
                     *       "labels_found": 1,
                     *       "labels": [
                     *         {
                     *           "label": "cat",
                     *           "count": 210,
                     *           "agreement": 0.91,
                     *           "similarity": 0.38
                     *         }
                     *       ],
                     *       "next_cursor": null,
                     *       "job": null
                     *     }
                     */
                    "application/json": components["schemas"]["LabelReport"];
                };
            };
            /** @description The report is being made; this is the job. */
            202: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "Server-Timing": components["headers"]["Server-Timing"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    Location: components["headers"]["Location"];
                    "Retry-After": components["headers"]["Retry-After"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Job"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
        };
    };
    listSnapshots: {
        parameters: {
            query?: never;
            header?: {
                /** @description An id of the caller's, which the answer and the log then carry. Another is made when it is not usable. */
                "X-Request-Id"?: components["parameters"]["request_id"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The snapshots, the newest first. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "Server-Timing": components["headers"]["Server-Timing"];
                    "Cache-Control": components["headers"]["Cache-Control"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "snapshots": [
                     *         {
                     *           "id": "20261122T100000000Z-5b4d2c1e",
                     *           "bytes": 73728000,
                     *           "created_at": "2026-11-22T10:00:00.000Z"
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": components["schemas"]["SnapshotList"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
        };
    };
    createSnapshot: {
        parameters: {
            query?: never;
            header?: {
                /** @description Sent again with the same key, the same request is not done again. */
                "Idempotency-Key"?: components["parameters"]["idempotency_key"];
                /** @description An id of the caller's, which the answer and the log then carry. Another is made when it is not usable. */
                "X-Request-Id"?: components["parameters"]["request_id"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The job, which `Location` shows from now on; its result has the snapshot's `id`. */
            202: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "Server-Timing": components["headers"]["Server-Timing"];
                    "Idempotency-Replayed": components["headers"]["Idempotency-Replayed"];
                    Location: components["headers"]["Location"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Job"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            422: components["responses"]["IdempotencyMismatch"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            507: components["responses"]["StorageFull"];
        };
    };
    getSnapshot: {
        parameters: {
            query?: never;
            header?: {
                /** @description An id of the caller's, which the answer and the log then carry. Another is made when it is not usable. */
                "X-Request-Id"?: components["parameters"]["request_id"];
            };
            path: {
                /**
                 * @description The snapshot's id.
                 * @example 20261122T100000000Z-5b4d2c1e
                 */
                id: components["parameters"]["snapshot_id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A tar file whose last entry, `manifest.json`, holds the SHA-256 of the others. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "Server-Timing": components["headers"]["Server-Timing"];
                    [name: string]: unknown;
                };
                content: {
                    "application/x-tar": string;
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
        };
    };
    deleteSnapshot: {
        parameters: {
            query?: never;
            header?: {
                /** @description An id of the caller's, which the answer and the log then carry. Another is made when it is not usable. */
                "X-Request-Id"?: components["parameters"]["request_id"];
            };
            path: {
                /**
                 * @description The snapshot's id.
                 * @example 20261122T100000000Z-5b4d2c1e
                 */
                id: components["parameters"]["snapshot_id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is gone. */
            204: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "Server-Timing": components["headers"]["Server-Timing"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            507: components["responses"]["StorageFull"];
        };
    };
    getLiveness: {
        parameters: {
            query?: never;
            header?: {
                /** @description An id of the caller's, which the answer and the log then carry. Another is made when it is not usable. */
                "X-Request-Id"?: components["parameters"]["request_id"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Alive. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "Server-Timing": components["headers"]["Server-Timing"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Alive"];
                };
            };
            403: components["responses"]["Forbidden"];
            500: components["responses"]["Internal"];
        };
    };
    getReadiness: {
        parameters: {
            query?: never;
            header?: {
                /** @description An id of the caller's, which the answer and the log then carry. Another is made when it is not usable. */
                "X-Request-Id"?: components["parameters"]["request_id"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Ready. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "Server-Timing": components["headers"]["Server-Timing"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Ready"];
                };
            };
            403: components["responses"]["Forbidden"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    getMetrics: {
        parameters: {
            query?: never;
            header?: {
                /** @description An id of the caller's, which the answer and the log then carry. Another is made when it is not usable. */
                "X-Request-Id"?: components["parameters"]["request_id"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The metrics. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "Server-Timing": components["headers"]["Server-Timing"];
                    [name: string]: unknown;
                };
                content: {
                    "text/plain": string;
                };
            };
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            500: components["responses"]["Internal"];
        };
    };
    getContract: {
        parameters: {
            query?: never;
            header?: {
                /** @description An id of the caller's, which the answer and the log then carry. Another is made when it is not usable. */
                "X-Request-Id"?: components["parameters"]["request_id"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The contract. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "Server-Timing": components["headers"]["Server-Timing"];
                    [name: string]: unknown;
                };
                content: {
                    "application/yaml": Record<string, unknown>;
                };
            };
            403: components["responses"]["Forbidden"];
            500: components["responses"]["Internal"];
        };
    };
    getReference: {
        parameters: {
            query?: never;
            header?: {
                /** @description An id of the caller's, which the answer and the log then carry. Another is made when it is not usable. */
                "X-Request-Id"?: components["parameters"]["request_id"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The page. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "Server-Timing": components["headers"]["Server-Timing"];
                    [name: string]: unknown;
                };
                content: {
                    "text/html": string;
                };
            };
            403: components["responses"]["Forbidden"];
            500: components["responses"]["Internal"];
        };
    };
    getPage: {
        parameters: {
            query?: never;
            header?: {
                /** @description An id of the caller's, which the answer and the log then carry. Another is made when it is not usable. */
                "X-Request-Id"?: components["parameters"]["request_id"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The page. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "Server-Timing": components["headers"]["Server-Timing"];
                    [name: string]: unknown;
                };
                content: {
                    "text/html": string;
                };
            };
            304: components["responses"]["NotModified"];
            403: components["responses"]["Forbidden"];
            500: components["responses"]["Internal"];
        };
    };
}
