"""What people write when they want a task done: verbs that open a command, things to be made, and telling phrases.

Weights are logits: 1 is a hint, 3 makes a task about six times as likely as all others together. They are judged by hand from
how the words are used, not fitted.
"""

from mmai.selection.words import phrases, word_set
from mmai.values.task import TaskType as T

OPENERS = phrases(
    {
        T.CODE_GENERATION: {
            3.0: "implement, code, program, debug, refactor, complete this function, complete the following function,"
            " complete the following code, finish this code, finish the function, fix this code, fix the bug,"
            " programmiere, implementiere, implémente, implementa, programa, in sql, in python, in bash, in javascript, in typescript,"
            " in rust, sql, bash, python, javascript, typescript, css, regex, powershell, dockerfile, shell script",
            1.0: "develop, build, optimize",
        },
        T.MATH: {
            3.0: "solve, calculate, compute, evaluate the expression, simplify, differentiate, integrate, factor,"
            " berechne, löse, calcule, calculez, calcula, resuelve, calcola, risolvi, resolva, вычисли, вычислите,"
            " посчитай, реши, решите",
            1.5: "how many, how much, find the value, what is the value, wie viel, wie viele, combien, cuánto, cuántos,"
            " quanto, quanti, сколько",
        },
        T.REASONING: {
            2.0: "deduce, infer, determine whether, decide whether, prove, reason, choose the most, select the most,"
            " which statement, which option, choose the answer, choose the correct, pick the",
            1.0: "determine, decide, choose, select, if, suppose, imagine, assume, why would, where would, what would happen",
        },
        T.QUESTION_ANSWERING: {
            2.0: "answer, what does, what is the name, who, whose, when did, when was, where is, where was, explain,"
            " describe how, define, erkläre, erklär, was ist, was sind, wer, wann, warum, explique, expliquez, qu'est-ce,"
            " qui, qué, explica, quién, cuándo, spiega, che cos'è, chi, o que, quem, объясни, объясните, что такое, кто,"
            " когда, почему",
            1.2: "what, which, where, when, why, how does, how do, is, are, was, were, did, does, do, can, has, have,"
            " in which, name the, tell me about, describe, comment, où, quand, pourquoi, wo, wie, cómo, dónde, por qué,"
            " come, dove, perché, где, как",
        },
        T.TEXT_ANALYSIS: {
            3.0: "classify, categorize, categorise, analyze, analyse, evaluate, critique, rate, compare, detect,"
            " klassifiziere, analysiere, classe, classez, analyse, analysez, clasifica, analiza, classifica, analizza,"
            " classifique, классифицируй, проанализируй",
            1.5: "identify whether, judge, assess, review, label, tell whether, interpret, determine if",
        },
        T.INFORMATION_EXTRACTION: {
            3.0: "extract, list the key, list the names, identify all, list all, find all, pull out, extrahiere, extrais,"
            " extrayez, extrae, estrai, extraia, извлеки, извлеките, find the names, name the entities",
            1.5: "identify, list the, find the answer, locate, which words, link",
        },
        T.SUMMARIZATION: {
            4.0: "summarize, summarise, sum up, sum it up, give me the gist, tldr, tl dr, condense, recap, fasse, fass,"
            " zusammenfassen, résume, résumez, résumer, resume, resuma, resumir, resumí, riassumi, riassumere, sintetizza,"
            " резюмируй, суммируй, перескажи, кратко перескажи, the gist, what is this about, what's this about, what is it about,"
            " what is this text about, what is the text about, worum geht es, de quoi s'agit-il, de quoi parle, de qué trata,"
            " di cosa parla, о чём",
            2.0: "shorten, outline the, кратко",
        },
        T.TRANSLATION: {
            4.5: "translate, übersetze, übersetz, übersetzen, traduis, traduisez, traduire, traduce, traduzca, traducir,"
            " traduci, tradurre, traduza, traduzir, переведи, переведите, перевести",
            2.5: "how do you say, how do i say, how would you say, how to say, what's the word for, wie sagt man,"
            " comment dit on, cómo se dice, come si dice, como se diz, как сказать",
        },
        T.CREATIVE_WRITING: {2.0: "tell me a story, imagine a world, once upon a time, rhyme, sing"},
        T.PROFESSIONAL_WRITING: {1.5: "draft, reply to this email, respond to this email"},
        T.TEXT_EDITING: {
            3.5: "rewrite, re-write, rephrase, paraphrase, proofread, edit, polish, reword, correct, improve the,"
            " improve this, fix the grammar, fix the punctuation, fix the spelling, fix the capitalization, capitalize,"
            " punctuate, korrigiere, verbessere, formuliere, corrige, corrigez, reformule, reformulez, reescribe,"
            " riscrivi, correggi, reescreva, corrija, исправь, исправьте, перепиши, перефразируй",
            1.5: "modify, change, convert, make this, make it, simplify this text, add punctuation, improve, replace, refine",
        },
        T.DATA_ANALYSIS: {
            1.5: "plot, aggregate, group, join, which columns, what percentage of, calculate the mean,"
            " calculate the average, calculate the correlation, train, perform",
            2.5: "visualize, visualise, cluster the, forecast",
        },
        T.CONVERSATION: {
            3.0: "act, pretend, roleplay, role-play, who are you, what are you, how are you, how old are you,"
            " where are you from, what's your, what is your, tell me a joke, are you, do you, chat, what's up,"
            " you are called, play the role, continue the conversation, continue the dialogue, respond as, were you,"
            " wie geht, comment ça va, cómo estás, come stai, как дела",
            1.5: "talk, respond to, reply, good night, bye, goodbye, what can you",
        },
        T.ADVICE_PLANNING: {
            3.0: "suggest, recommend, plan, brainstorm, how can i, how do i, how should i, what should i, give me tips,"
            " give me ideas, give me advice, give some tips, what are some, what are the best ways, how to, how can we,"
            " how can you, where should i, should i, empfiehl, schlage, recommande, suggère, recomienda, sugiere,"
            " consiglia, sugira, recomende, посоветуй, предложи, what are the most effective, how can one",
            1.0: "create a plan, create a schedule, what's a good, what is a good, can i",
        },
        T.IMAGE_GENERATION: {5.5: "draw, paint, sketch, zeichne, dessine, dibuja, disegna, desenhe, нарисуй"},
        T.EMBEDDING: {4.0: "embed this, embed the"},
        T.SPEECH_SYNTHESIS: {4.0: "read this aloud, read aloud, say this aloud, speak this"},
    }
)
"""Commands and questions by their first words, without politeness before them."""

MAKERS = word_set(
    "write create generate compose draft make produce design develop build craft prepare give provide construct author"
    " tell outline implement formulate come think output return schreibe schreib erstelle verfasse erzähle écris écrivez"
    " rédige rédigez crée raconte escribe crea redacta cuéntame cuenta scrivi componi racconta escreva crie conte напиши"
    " напишите составь сочини расскажи создай"
)
"""Verbs whose object says the task."""

PRODUCTS = phrases(
    {
        T.CODE_GENERATION: {
            4.0: "function, program, script, code, sql, sql query, query, regex, regular expression, class, algorithm,"
            " method, html, css, javascript, python, java, rust, typescript, bash, c, api, app, application, website,"
            " web page, component, unit test, unit tests, dockerfile, makefile, latex, svg, ascii art, tikz,"
            " smart contract, software, funktion, programm, skript, fonction, programme, función, programa, funzione,"
            " programma, função, função, функцию, программу, скрипт, код"
        },
        T.MATH: {2.5: "equation, proof, math problem, arithmetic, polynomial, formula"},
        T.SUMMARIZATION: {
            4.0: "summary, tldr, tl dr, synopsis, recap, abstract, highlights, takeaways, zusammenfassung, résumé, resumen,"
            " riassunto, resumo, резюме, краткое содержание, headline, title for, title"
        },
        T.TRANSLATION: {4.0: "translation, übersetzung, traduction, traducción, traduzione, tradução, перевод"},
        T.CREATIVE_WRITING: {
            3.5: "story, short story, poem, haiku, limerick, song, song lyrics, lyrics, joke, novel, screenplay,"
            " script for, scene, tale, fairy tale, rap, sonnet, monologue, sentence, sentences, character, plot, fiction,"
            " scenario, dialogue, riddle, movie plot, hypothesis, slogan, pun, gedicht, geschichte, märchen, lied, poème,"
            " histoire, conte, chanson, poema, cuento, historia, canción, poesia, storia, racconto, canzone, história,"
            " canção, стихотворение, стих, рассказ, сказку, историю, песню"
        },
        T.PROFESSIONAL_WRITING: {
            3.5: "email, e-mail, mail, letter, cover letter, memo, report, press release, resume, cv, blog post, blog,"
            " article, essay, speech, product description, job description, job posting, proposal, newsletter, review,"
            " biography, bio, tweet, linkedin post, post, advertisement, ad, announcement, description, documentation,"
            " invitation, contract, document, brief, commit message, message, bericht, bewerbung, rede, lettre, courriel,"
            " rapport, discours, carta, correo, informe, discurso, lettera, relazione, discorso, relatório, письмо, отчёт,"
            " доклад, статью, эссе"
        },
        T.TEXT_EDITING: {2.5: "paraphrase, version, rewording, corrected version, question that"},
        T.DATA_ANALYSIS: {3.0: "chart, histogram, bar chart, plot of, pivot table, dashboard, scatter plot, linear regression"},
        T.ADVICE_PLANNING: {
            3.5: "plan, itinerary, schedule, tips, ideas, suggestions, advice, recommendations, list of things, steps,"
            " guide, strategy, recipe, to-do list, checklist, roadmap, reiseplan, plan d'action, consejos, conseils,"
            " consigli, dicas, план, советы"
        },
        T.QUESTION_ANSWERING: {2.0: "answer, explanation, definition, overview of, fun fact"},
        T.CONVERSATION: {2.5: "response to the, reply to, chatbot, next utterance, response given"},
        T.INFORMATION_EXTRACTION: {2.5: "list of all, list of names, list of the, json array with, entities"},
        T.IMAGE_GENERATION: {
            5.5: "image, picture, photo, logo, illustration, poster, icon, drawing, painting, portrait, wallpaper, bild,"
            " zeichnung, imagen, dibujo, immagine, disegno, imagem, desenho, картинку, изображение, рисунок, diorama, 3d",
        },
        T.SPEECH_SYNTHESIS: {4.0: "audio version, voice-over, voiceover, speech audio"},
        T.EMBEDDING: {5.0: "embedding, embeddings, embedding vector"},
    }
)
"""What follows a verb of making; the first one named counts."""

ANYWHERE = phrases(
    {
        T.CODE_GENERATION: {
            2.5: "python function, sql query, source code, this code, following code, code snippet, stack trace,"
            " compiler error, unit test, software developer, programming language, leetcode, sql statement, pull request,"
            " in python, in javascript, in c, in rust, in java, in typescript, in golang, in bash, in sql, full stack,"
            " test cases",
            1.0: "function, code, compile, syntax, sql, algorithm, api, developer, software, docker, javascript, python,"
            " java, git, bug, terminal",
        },
        T.MATH: {
            2.0: "equation, polynomial, derivative, integral, theorem, square root, irrational, sqrt, prime factor,"
            " prime numbers, matrix, greatest common divisor, least common multiple, arithmetic operation, percent of,"
            " percent off, divided by, multiplied by, triangle, probability that, how many, how much, decimal, divisible,"
            " remainder, square feet, math problem, mathematician",
            0.8: "sum, total, twice, average, each, per, cost, costs, times as many, half as many, left, earn, numbers,"
            " number, perimeter, radius, angle, plus, minus, times",
        },
        T.REASONING: {
            2.0: "step by step, logically, premise, hypothesis, entailment, entails, contradiction, contradicts, puzzle,"
            " logic, analogy, common sense, commonsense, deduction, plausible, more likely, most likely,"
            " which of the following, is the following sentence, would you expect, logic test, cause, effect,"
            " following statements, true or false, options, let's think",
            0.8: "therefore, because, correct order, implies, true, false, possible answers, reasoning",
        },
        T.QUESTION_ANSWERING: {
            2.0: "answer the question, answer the following question, question answering, based on the passage,"
            " given passage, according to the passage, answer is, following question, question about,"
            " based on the context, context, nutrition",
            1.0: "question, answer, passage, mean, meaning of, paragraph, difference between, differences between, basics of",
        },
        T.TEXT_ANALYSIS: {
            2.5: "sentiment, positive or negative, negative or positive, topic of, category, categories, hate speech,"
            " offensive, toxic, irony, sarcasm, sarcastic, classify, classification, analyze, analyse, analysis of,"
            " tone of, stereotype, emotion, biased, spam, stance, polarity, similar meaning, paraphrases of each other,"
            " same meaning, duplicates",
            1.0: "label, labels, tweet, opinion, review, whether, text, claims, arguments, evaluate, indicate, strengths,"
            " weaknesses",
        },
        T.INFORMATION_EXTRACTION: {
            2.5: "extract, extracted, named entities, named entity, entities, entity, key phrases, keywords, key details,"
            " relation between, can be found in the, mentioned in, extraction, all the names, find all, in the text,"
            " text span, phone numbers, email addresses",
            1.0: "names, dates, mentioned, locations, identify, fields",
        },
        T.SUMMARIZATION: {
            3.0: "summarize, summarise, summary, summarization, summarizing, summarizer, summaries, tldr, tl dr,"
            " main points, key points, key takeaways, zusammenfassung, résumé, resumen, riassunto, resumo, резюме,"
            " zusammen, in a nutshell, краткое содержание, key ideas",
            1.0: "concise, brief, condense, headline, abstract, meeting notes, gist",
        },
        T.TRANSLATION: {
            3.0: "translate, translated, translation, translator, translating, into french, into german, into spanish,"
            " into english, into chinese, into japanese, übersetzung, traduction, traducción, traduzione, tradução,"
            " перевод",
            2.0: "to french, to german, to spanish, to english, to chinese, to japanese, say in, language, in japanese,"
            " in french, in spanish, in german, in italian, in chinese, in korean, in russian, ins deutsche,"
            " ins englische, auf englisch, en anglais, en français, al inglés, al español, in inglese, in italiano,"
            " para inglês, на английский, на русский",
        },
        T.CREATIVE_WRITING: {
            2.5: "poem, poetry, poet, haiku, limerick, short story, novelist, storyteller, lyrics, creative writing,"
            " fictional, screenwriter, rapper, composer, fairy tale, once upon a time, rhymes",
            1.0: "story, characters, song, humor, funny, imaginative, sentence, plot, creative, fantasy, novel",
        },
        T.PROFESSIONAL_WRITING: {
            2.5: "email to, cover letter, press release, blog post, resume, newsletter, linkedin, product description,"
            " essay, professional tone, copywriter, content writer, seo, business proposal, job application",
            0.8: "email, letter, article, report, biography, marketing, audience, documentation, blog, document",
        },
        T.TEXT_EDITING: {
            2.5: "grammar, punctuation, proofread, proofreader, rewrite, rephrase, paraphrase, paraphrased, spelling,"
            " more formal, more professional, more concise, reword, proper case, capitalization, same meaning,"
            " sounds better, readability, correct the, typos, grammatical errors, clearer, modified sentence",
            1.0: "style, edit, improve, errors, correctly, version",
        },
        T.DATA_ANALYSIS: {
            2.5: "dataset, data set, dataframe, csv, spreadsheet, column, columns, correlation, standard deviation,"
            " outliers, regression, histogram, missing values, p value, excel, median, table below, pivot, statistical,"
            " data analyst, distribution",
            1.0: "mean, average, data, table, rows, trend, per month, per group, metrics, records, statistics, stock, sales",
        },
        T.CONVERSATION: {
            2.5: "are you, your name, your favorite, do you, you think, you feel, you a bot, you human, nice to meet,"
            " chat history, dialogue, conversation, talk to me, customer, tell me about yourself, thank you, thanks,"
            " your hobbies, your boss, fun fact, trivia, my name is, your creator, your opinion, you doing",
            1.0: "you, your, i'm, chatbot, role, user, assistant, respond, personality, joke, game",
        },
        T.ADVICE_PLANNING: {
            2.5: "suggest, suggestion, suggestions, recommend, recommendation, recommendations, advice, tips, itinerary,"
            " plan for, a plan, what should i, help me plan, brainstorm, ideas, coach, planner, best way to, ways to,"
            " advisor, things to do, i should",
            1.0: "trip, travel, plan, goals, strategies, improve my, fitness, dinner, meal, vacation, career, visit, ideas for",
        },
        T.IMAGE_GENERATION: {
            4.0: "image of, picture of, photo of, hyper realistic, photorealistic, ultra realistic, illustration of,"
            " uploaded photo, text to image, source image, diorama, logo for, an image, watercolor painting",
            1.5: "portrait, cinematic lighting, isometric, 8k, 4k, cartoon style",
        },
        T.SPEECH_SYNTHESIS: {4.0: "text to speech, read aloud, out loud, as speech, as audio"},
        T.EMBEDDING: {4.0: "embedding of, embeddings of, vector embedding, embedding vector, embedding for, embeddings for"},
    }
)
"""Evidence wherever it stands; each phrase counts once."""

UNSPACED = {
    T.CODE_GENERATION: "函数 函數 代码 代碼 程序 编写 脚本 编程 関数 コード プログラム スクリプト 함수 코드",
    T.MATH: "计算 計算 求解 方程 等于多少 多少 方程式 いくつ 계산",
    T.REASONING: "推理 逻辑 証明 证明 推論",
    T.QUESTION_ANSWERING: "解释 解釋 什么是 是什么 为什么 如何理解 説明 とは 何です なぜ 谁 설명 무엇",
    T.TEXT_ANALYSIS: "分类 分類 情感 分析 感情 분류",
    T.INFORMATION_EXTRACTION: "提取 抽取 抽出 추출",
    T.SUMMARIZATION: "总结 總結 概括 摘要 归纳 要約 まとめて 요약",
    T.TRANSLATION: "翻译 翻譯 译成 譯成 翻訳 訳して 번역",
    T.CREATIVE_WRITING: "诗 故事 小说 歌词 物語 小説 俳句 시를 이야기",
    T.PROFESSIONAL_WRITING: "邮件 信件 报告 简历 メール 手紙 報告書 이메일",
    T.TEXT_EDITING: "润色 改写 修改 校对 校正 書き直 添削 言い換え 교정",
    T.DATA_ANALYSIS: "数据 表格 データ 統計",
    T.CONVERSATION: "你是谁 你好吗 あなたは誰",
    T.ADVICE_PLANNING: "建议 推荐 计划 怎么办 おすすめ アドバイス 計画 추천",
    T.IMAGE_GENERATION: "画一 画像を生成 图片 絵を描",
}
"""Words of scripts that put no space between words; each found counts 3."""
